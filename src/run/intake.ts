import type { GitHubApp } from '../github/client.ts';
import { completeCi, completeEvent } from '../github/completion.ts';
import type { Configurations } from '../github/configuration.ts';
import { toEvents } from '../github/event.ts';
import type { Permissions } from '../github/permission.ts';
import { isPressEvent, type Press, toPress } from '../github/press.ts';
import type { Delivery } from '../github/webhook.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import type { Decision } from '../store/decisions.ts';
import { matchTriggers } from '../workflow/trigger.ts';
import { digestBody } from './body-digest.ts';
import { pressButton } from './buttons.ts';
import { linkChain } from './chain.ts';
import { wakeHeld } from './held.ts';
import { announceComment, sendToSession, settleComment } from './letters.ts';
import { type BuiltIn, builtInOf, endRuns, obeyOrder } from './orders.ts';
import { checkProposal } from './proposal.ts';
import { restartRun, runIdOf, startRun } from './start.ts';
import { judgeTrust } from './trust.ts';
import { type ShelvedWorkflow, WorkflowShelf } from './workflows.ts';

/** What intake needs beside the services of runs. */
export interface IntakeParts {
  services: Services;
  app: GitHubApp;
  configurations: Configurations;
  permissions: Permissions;
}

/** What is known while one delivery is decided. `commanded`: one of its commands started something, so its comment and mention start nothing. */
interface Found {
  workflows: ShelvedWorkflow[];
  guidance: string;
  sha: string;
  started: Set<string>;
  commanded: boolean;
}

/** Turns deliveries into runs, and records for every workflow why it was started or not. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #shelf = new WorkflowShelf();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /**
   * Takes one delivery from the queue. Its id and its body are claimed first, so that a redelivery, or the same body under a new id, starts nothing.
   * May be repeated after a crash: the ids of runs come from the delivery.
   */
  async take({ id, event, body }: { id: string; event: string; body: string }): Promise<void> {
    const { claims } = this.#parts.services.store;
    const taken = await claims.take(id, digestBody(event, body), isPressEvent(event) ? { bodySeconds: PRESS_SECONDS } : {});
    if (taken !== null) {
      this.#parts.services.log.info(
        { delivery: id, event, taken },
        'this delivery, or the same body under another id, was handled before: nothing is started',
      );
      return;
    }
    await this.#parts.app.receive({ id, name: event, payload: JSON.parse(body) as unknown });
    await claims.finish(id);
  }

  /** What Probot dispatches to: a button that was pressed, or the events of a delivery, each with every workflow of its repository. */
  async handle(delivery: Delivery): Promise<void> {
    const { services, app } = this.#parts;
    const press = toPress(delivery);
    if (press) return this.#press(press);
    await wakeHeld(services, delivery);
    const { slug, login } = await app.identity();
    const { events, ignored } = toEvents(delivery, { aliases: services.settings.aliases, slug });
    if (ignored) services.log.debug({ delivery: delivery.id, event: delivery.name, reason: ignored }, 'nothing to start');
    const heard = inOrder(events.filter((event) => !(event.comment && event.actor.login === login)));
    const [first] = heard;
    if (!first) return;
    await announceComment(services, first);
    await this.#decideAll(heard, first);
    await settleComment(services, first);
    const api = await app.api(first.installation, first.repository.id, 'read');
    await checkProposal(first, { services, configurations: this.#parts.configurations, api });
  }

  async #press(press: Press): Promise<void> {
    const { services, app, permissions } = this.#parts;
    const api = await app.api(press.installation, press.repository.id, 'read');
    await pressButton(press, { services, api, canWrite: (login) => permissions.canWrite(api, press.repository, login) });
  }

  async #decideAll(heard: Event[], first: Event): Promise<void> {
    const { app } = this.#parts;
    const api = await app.api(first.installation, first.repository.id, 'read');
    const configuration = await this.#parts.configurations.read(api, first.repository);
    const workflows = this.#shelf.read(first.repository.id, configuration);
    const started = new Set<string>();
    const found: Found = { workflows, guidance: configuration.guidance, sha: configuration.sha, started, commanded: false };
    const commands = heard.filter((event) => event.name === 'manual');
    for (const event of commands) {
      const order = builtInOf(event, workflows);
      if (order) {
        await this.#obey(event, order, found);
        found.commanded = true;
        continue;
      }
      await this.#decide(event, found);
      if (started.size > 0) found.commanded = true;
    }
    if (CLOSING.includes(first.name))
      await this.#endOthers(first, `the pull request was ${first.name === 'pull_request_merged' ? 'merged' : 'closed'}`);
    if (!found.commanded && (await this.#sendToSession(first))) return;
    for (const event of heard) if (!commands.includes(event)) await this.#decide(event, found);
  }

  async #decide(event: Event, found: Found): Promise<void> {
    const { services } = this.#parts;
    const waiting = found.workflows.filter(({ workflow }) => workflow?.triggers.some((trigger) => trigger.event === event.name));
    const complete = waiting.length > 0 && !(found.commanded && event.name !== 'manual') ? await this.#complete(event) : event;
    const decisions: Decision[] = [];
    for (const loaded of found.workflows) {
      const taken = (found.commanded && event.name !== 'manual') || found.started.has(loaded.path);
      const decision = taken ? refuse(TAKEN) : await this.#decideOne(complete, loaded, found);
      if (decision.run) found.started.add(loaded.path);
      decisions.push({ at: Date.now(), delivery: event.delivery, event: event.name, workflow: loaded.name, ...decision });
    }
    if (decisions.length === 0) {
      const reason = 'the default branch holds no workflow: commit .overcut/workflow.json';
      decisions.push({
        at: Date.now(),
        delivery: event.delivery,
        event: event.name,
        workflow: null,
        verdict: 'not matched',
        reason,
        run: null,
      });
    }
    await services.store.decisions.record(event.repository.id, resourceKey(complete.resource), decisions);
  }

  async #obey(event: Event, order: BuiltIn, { workflows }: Found): Promise<void> {
    const { services } = this.#parts;
    const done = await obeyOrder(services, event, order, {
      workflows,
      canWrite: (login) => this.#canWrite(event, login),
      retry: async (start) => (await restartRun(services, start, event.delivery)).run,
    });
    const decision = { at: Date.now(), delivery: event.delivery, event: event.name, workflow: null, ...done };
    await services.store.decisions.record(event.repository.id, resourceKey(event.resource), [decision]);
  }

  async #sendToSession(event: Event): Promise<boolean> {
    const { services } = this.#parts;
    const sent = await sendToSession(services, event, { canWrite: (login) => this.#canWrite(event, login) });
    if (!sent) return false;
    const decision = { at: Date.now(), delivery: event.delivery, event: event.name, workflow: null, ...sent };
    await services.store.decisions.record(event.repository.id, resourceKey(event.resource), [decision]);
    return true;
  }

  async #complete(event: Event): Promise<Event> {
    const api = await this.#parts.app.api(event.installation, event.repository.id, 'read');
    const whole = await completeEvent(event, api);
    return event.name === 'manual' ? completeCi(whole, api) : whole;
  }

  async #decideOne(
    event: Event,
    { path, workflow, problem, agents }: ShelvedWorkflow,
    { guidance, sha }: { guidance: string; sha: string },
  ): Promise<Pick<Decision, 'verdict' | 'reason' | 'run'>> {
    if (!workflow) return refuse(`${path} has mistakes: ${problem}`);
    const hit = matchTriggers(workflow.triggers, event);
    if ('reason' in hit) return refuse(hit.reason);
    const verdict = await judgeTrust(event, {
      settings: this.#parts.services.settings,
      outsiders: hit.trigger.settings.allowOutsiders,
      canWrite: (login) => this.#canWrite(event, login),
    });
    if (!verdict.may) return refuse(verdict.reason);
    const link = await linkChain(this.#parts.services, event, { path, self: (await this.#parts.app.identity()).login });
    if ('reason' in link) return refuse(link.reason);
    if (event.name === 'manual')
      await this.#endOthers(event, `@${event.actor.login} started "${workflow.name}" by /${event.command?.name ?? ''}`);
    const delaySeconds = delayOf(event, hit.trigger.settings.delaySeconds);
    const { run, merged } = await startRun(this.#parts.services, event, {
      path,
      workflow,
      agents,
      guidance,
      sha,
      trust: verdict.trust,
      delaySeconds,
      chain: link.chain,
    });
    return { verdict: merged ? 'merged' : 'started', reason: `trigger ${hit.trigger.event}`, run };
  }

  /** Ends what is under way on a resource, but not what this very delivery started before it was interrupted. */
  async #endOthers(event: Event, reason: string): Promise<void> {
    const { services } = this.#parts;
    const started = await services.store.runsOf(resourceKey(event.resource), 50);
    const own = new Set(this.#shelf.pathsOf(event.repository.id).map((path) => runIdOf(event, path)));
    await endRuns(services, event, { reason, except: started.filter((run) => own.has(run)) });
  }

  async #canWrite(event: Event, login: string): Promise<boolean> {
    const api = await this.#parts.app.api(event.installation, event.repository.id, 'read');
    return this.#parts.permissions.canWrite(api, event.repository, login);
  }
}

/** How long the same press again is a double click or a redelivery, and not another wish. */
const PRESS_SECONDS = 10;

/** Events after which what is under way on a pull request has lost its purpose. */
const CLOSING: string[] = ['pull_request_closed', 'pull_request_merged'];

const TAKEN = 'a command or another event of the same delivery started a workflow';

function refuse(reason: string): Pick<Decision, 'verdict' | 'reason' | 'run'> {
  return { verdict: 'not matched', reason, run: null };
}

/** A comment is its commands first, and only without one for a workflow a mention or a comment. */
function inOrder(events: Event[]): Event[] {
  const rank = ({ name }: Event) => (name === 'manual' ? 0 : name === 'mention' ? 1 : 2);
  return events.toSorted((a, b) => rank(a) - rank(b));
}

/** Commands and mentions ignore the delay. */
function delayOf(event: Event, seconds: number): number {
  return event.name === 'manual' || event.name === 'mention' ? 0 : seconds;
}
