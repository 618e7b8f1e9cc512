import type { Logger } from 'pino';
import type { ConversationOptions } from '../agent/conversation.ts';
import type { Model } from '../agent/model.ts';
import type { Discovery } from '../github/discovery.ts';
import type { Performance } from '../github/publisher.ts';
import type { Price } from '../journal/cost.ts';
import type { Outcome } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import type { Store } from '../store/store.ts';
import type { ToolContext } from '../tools/context.ts';
import type { runTool } from '../tools/run-tool.ts';
import type { RunRules, Settings } from '../workflow/settings.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { graceFor } from './grace.ts';

/** What GitHub is to a run at work: one writer, reading bound to the run's repository, and names of the others that its installation has. */
export interface GitHubSide {
  /** Looks again for what an effect in doubt has made, and removes doubles; answers when to look once more (ms since 1970), or null. */
  lookAgain(effect: string): Promise<number | null>;
  /** Carries an effect out once. */
  perform(call: Performance): Promise<Outcome>;
  reader(event: Event, rules?: RunRules): ToolContext['github'];
  discovery(event: Event): Discovery;
}

/** Everything a run works with; wired in `wiring.ts`. */
export interface Services {
  store: Store;
  model: Model;
  workspace: Workspace;
  github: GitHubSide;
  settings: Settings;
  log: Logger;
  /** How a call of a tool is done; absent: for real. */
  runTool?: typeof runTool;
}

/** What a run may do: what it was started with, else the app's settings of today. */
export function rulesOf({ settings }: Pick<Services, 'settings'>, { rules }: { rules?: RunRules | undefined }): RunRules {
  return rules ?? settings;
}

/** The model behind a key of a workflow; an unknown key is the default. */
export function modelOf(settings: Settings, key: string | null): { id: string; price: Price } {
  const model = (key === null ? undefined : settings.models[key]) ?? settings.models.default ?? Object.values(settings.models)[0];
  if (!model) throw new Error('the settings name no model: add models.default');
  return model;
}

/** The id of the model that is used while the one with this id is unavailable; null where the settings name none. */
export function fallbackOf({ models }: Settings, id: string): string | null {
  const key = Object.values(models).find((model) => model.id === id && model.fallback !== undefined)?.fallback;
  return (key === undefined ? undefined : models[key]?.id) ?? null;
}

/** What a model's tokens cost by the settings; null where they name no price. */
export function priceOf(settings: Settings, model: string): Price | null {
  return Object.values(settings.models).find((one) => model === one.id || model.startsWith(one.id))?.price ?? null;
}

/** How a conversation keeps to its time, which may end at `latest` (ms since 1970), and lets people know that its model is away. */
export function mindTime(
  services: Services,
  run: string,
  latest: number | null,
): Pick<ConversationOptions<unknown>, 'latest' | 'graceMs' | 'clock' | 'onAway'> {
  const graceMs = (reason: string | null) => graceFor(services.settings, reason);
  return { latest, graceMs, clock: services.store.clock, onAway: () => askReport(services, run) };
}

/** Asks for a report without waiting: whoever works goes on. The last one of a run is waited for by its end. */
export function askReport({ store, log }: Services, id: string): void {
  store.queues.wishReport(id).catch((error: unknown) => log.warn({ run: id, err: error }, 'a report could not be asked for'));
}
