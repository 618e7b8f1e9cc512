import { z } from 'zod';
import { Condition, describeMisses, explain } from './condition.ts';
import type { Context } from './context.ts';
import { EVENT_NAMES, type EventName } from './event-name.ts';
import { optional } from './optional.ts';

const RepositorySelector = z.strictObject({
  useForCode: optional(z.boolean(), false),
  useForTickets: optional(z.boolean(), false),
  namePattern: optional(z.string(), ''),
  excludePattern: optional(z.string(), ''),
  provider: optional(z.string(), ''),
});

/** When a scheduled workflow runs, and for which repositories. Empty patterns and `false` do not filter. */
export const Schedule = z.strictObject({
  cronExpression: z.string().min(1),
  scheduleContextSettings: optional(
    z.strictObject({ type: z.enum(['Single', 'PerRepository']), repositorySelector: optional(RepositorySelector, null) }),
    { type: 'Single' as const, repositorySelector: null },
  ),
});
export type Schedule = z.infer<typeof Schedule>;

/** `/command`, or `@alias /command` where a mention is required. The name has no slash. */
export const SlashCommand = z.strictObject({
  command: z
    .string()
    .regex(/^\/?[A-Za-z0-9][\w-]*$/)
    .transform((name) => name.replace(/^\//, '')),
  requireMention: optional(z.boolean(), false),
});
export type SlashCommand = z.infer<typeof SlashCommand>;

const TriggerSettings = z.strictObject({
  delaySeconds: optional(z.number().int().min(0), 0),
  allowOutsiders: optional(z.boolean(), false),
});

/** One way in which a workflow starts; any trigger that matches is enough. */
export const Trigger = z.strictObject({
  event: z.enum(EVENT_NAMES),
  conditions: optional(Condition, null),
  slashCommand: optional(SlashCommand, null),
  schedule: optional(Schedule, null),
  customEvent: optional(z.unknown(), null).transform(() => null),
  settings: optional(TriggerSettings, { delaySeconds: 0, allowOutsiders: false }),
});
export type Trigger = z.infer<typeof Trigger>;

/** What a trigger looks at. `command` is set on `manual` events: one event for each command of a comment. */
export interface TriggerEvent {
  name: EventName;
  context: Context;
  command?: { name: string; args: string; withMention: boolean };
}

/** Whether a trigger matches, and in words why not, with the values that were compared. */
export type Match = { matched: true } | { matched: false; reason: string };

/** Whether one trigger matches an event. */
export function matchesTrigger(trigger: Trigger, event: TriggerEvent): Match {
  if (trigger.event !== event.name) return miss(`waits for ${trigger.event}, this is ${event.name}`);
  const command = trigger.event === 'manual' ? missedCommand(trigger, event) : null;
  if (command !== null) return miss(command);
  const { held, comparisons } = explain(trigger.conditions, { context: event.context });
  return held ? { matched: true } : miss(`${trigger.event}: condition not met: ${describeMisses(comparisons)}`);
}

/** The first trigger of a workflow that matches, or why none does (the reason of the one that came nearest). */
export function matchTriggers(triggers: readonly Trigger[], event: TriggerEvent): { trigger: Trigger } | { reason: string } {
  const reasons: string[] = [];
  for (const trigger of triggers) {
    const match = matchesTrigger(trigger, event);
    if (match.matched) return { trigger };
    if (trigger.event === event.name) reasons.push(match.reason);
  }
  const waits = [...new Set(triggers.map((trigger) => trigger.event))].join(', ');
  return { reason: reasons.length > 0 ? reasons.join('; or ') : `no trigger for ${event.name}; it waits for ${waits}` };
}

/** Whether a trigger is for such an event, and for its command if it is one, whatever its conditions say. */
export function isAwaited(triggers: readonly Trigger[], { name, command }: Pick<TriggerEvent, 'name' | 'command'>): boolean {
  return triggers.some(({ event, slashCommand }) => event === name && (name !== 'manual' || slashCommand?.command === command?.name));
}

function missedCommand(trigger: Trigger, event: TriggerEvent): string | null {
  const wanted = trigger.slashCommand;
  const given = event.command;
  if (!wanted || !given) return 'manual: there is no command';
  if (wanted.command !== given.name) return `manual: waits for /${wanted.command}, this is /${given.name}`;
  return wanted.requireMention && !given.withMention ? `manual: /${wanted.command} needs a mention before it on the line` : null;
}

function miss(reason: string): Match {
  return { matched: false, reason };
}
