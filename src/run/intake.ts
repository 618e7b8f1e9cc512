import { setImmediate as immediately } from 'node:timers/promises';
import type { GitHubApp } from '../github/client.ts';
import { completeCi, completeEvent } from '../github/completion.ts';
import type { Configurations } from '../github/configuration.ts';
import { isHandled, misfitOf, toEvents } from '../github/event.ts';
import type { Permissions } from '../github/permission.ts';
import { isPressEvent, type Press, toPress } from '../github/press.ts';
import { createdCommentOf } from '../github/recent-comments.ts';
import type { Delivery } from '../github/webhook.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import { CLOSED } from '../session/grace.ts';
import type { Services } from '../session/services.ts';
import type { Decision } from '../store/decisions.ts';
import { ciUseOf } from '../workflow/ci-use.ts';
import { isAwaited } from '../workflow/trigger.ts';
import { approve, renewApproval } from './approval.ts';
import { digestBody } from './body-digest.ts';
import { pressButton } from './buttons.ts';
import { decideWorkflow, type Judged, tellRefused, type WorkflowGrounds } from './deciding.ts';
import { wakeHeld } from './held.ts';
import { amendLetter, announceComment, sendToSession, settleComment } from './letters.ts';
import { MissedComments } from './missed-comments.ts';
import { type BuiltIn, builtInOf, endRuns, obeyOrder } from './orders.ts';
import { checkProposal } from './proposal.ts';
import { type RepositoryRules, rulesOf } from './repository-settings.ts';
import { restartRun, runIdOf } from './start.ts';
import { type ShelvedWorkflow, WorkflowShelf } from './workflows.ts';

/** What intake needs beside the services of runs. */
export interface IntakeParts {
  services: Services;
  app: GitHubApp;
  configurations: Configurations;
  permissions: Permissions;
  /** Workflows that were read already; its own where it is absent. */
  shelf?: WorkflowShelf;
  /** Gives others their turn between two workflows; the event loop's next one where it is absent. */
  breathe?: () => Promise<void>;
}

/**
 * What is known while one delivery is decided. `commanded`: one of its commands started something or was built in (`obeyed`), so its comment and mention
 * start nothing.
 */
interface Found {
  workflows: ShelvedWorkflow[];
  guidance: string;
  sha: string;
  rules: RepositoryRules;
  started: Set<string>;
  commanded: boolean;
  obeyed: boolean;
}

/** Turns deliveries into runs, and records for every workflow why it was started or not. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #shelf: WorkflowShelf;
  readonly #missed: MissedComments;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#shelf = parts.shelf ?? new WorkflowShelf();
    this.#missed = new MissedComments(parts);
  }

  /**
   * Takes one delivery from the queue. Its id and its body are claimed first, so that a redelivery, or the same body under a new id or another event's name, starts
   * nothing. What starts nothing claims no body: a replay under such a name would take it away from the event that it belongs to.
   * May be repeated after a crash: the ids of runs come from the delivery.
   */
  async take({ id, event, body }: { id: string; event: string; body: string }): Promise<void> {
    const { log, store } = this.#parts.services;
    const { claims } = store;
    const payload = JSON.parse(body) as unknown;
    const digest = mayStart({ id, name: event, payload }) ? digestBody(body) : null;
    const taken = await claims.take(id, digest, isPressEvent(event) ? { bodySeconds: PRESS_SECONDS } : {});
    if (taken !== null) {
      log.info({ delivery: id, event, taken }, 'this delivery, or the same body under another id, was handled before: nothing is started');
      return;
    }
    const comment = createdCommentOf(event, payload);
    if (comment === null || (await claims.takeComment(comment, id))) await this.#parts.app.receive({ id, name: event, payload });
    else log.info({ delivery: id, comment }, 'this comment was brought by another delivery: nothing is started');
    await claims.finish(id);
  }

  /**
   * Gives up a delivery that ended its process time and again: `reason` stands in the log and, unless its body shall not even be read, under what was decided
   * about its resource. The claims stay its own, so that it is taken anew where it is sent again.
   */
  async giveUp(
    { id, event, body }: { id: string; event: string; body: string },
    reason: string,
    { unread }: { unread: boolean },
  ): Promise<void> {
    const { log, store } = this.#parts.services;
    log.error({ delivery: id, event, reason }, 'this delivery is given up; have GitHub send it again once its cause is gone');
    if (unread) return;
    const { events } = toEvents({ id, name: event, payload: JSON.parse(body) as unknown }, { aliases: [], slug: '' });
    const [first] = events;
    if (!first) return;
    const about = { at: Date.now(), delivery: id, event: first.name, workflow: null, run: null };
    await store.decisions.record(first.repository.id, resourceKey(first.resource), [{ ...about, verdict: 'not matched', reason }]);
  }

  /** What Probot dispatches to: a button that was pressed, or the events of a delivery, each with every workflow of its repository. */
  async handle(delivery: Delivery): Promise<void> {
    const { services, app } = this.#parts;
    const press = toPress(delivery);
    if (press) return this.#press(press);
    await wakeHeld(services, delivery);
    await amendLetter(services, delivery);
    const { slug, login } = await app.identity();
    const { events, ignored } = toEvents(delivery, { aliases: services.settings.aliases, slug });
    if (ignored) services.log.debug({ delivery: delivery.id, event: delivery.name, reason: ignored }, 'nothing to start');
    const heard = inOrder(events.filter((event) => !event.comment || event.actor.login !== login || isOwnCommand(event)));
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
    const workflows = await this.#shelf.read(first.repository.id, configuration);
    const started = new Set<string>();
    const rules = rulesOf(this.#parts.services.settings, configuration);
    const { guidance, sha } = configuration;
    const found: Found = { workflows, guidance, sha, rules, started, commanded: false, obeyed: false };
    const own = first.actor.login === (await app.identity()).login;
    const commands = heard.filter((event) => event.name === 'manual');
    for (const event of commands) {
      const order = builtInOf(event, workflows);
      if (order && !own) {
        await this.#obey(event, order, found);
        found.commanded = found.obeyed = true;
        continue;
      }
      await this.#decide(event, found);
      if (started.size > 0) found.commanded = true;
    }
    const closed = CLOSED[first.name];
    if (closed !== undefined) await this.#endOthers(first, closed);
    await renewApproval(this.#parts.services, first, 'settings' in rules ? rules.settings : this.#parts.services.settings);
    if (!own && !found.commanded && (await this.#sendToSession(first))) return;
    if (found.obeyed) return;
    for (const event of heard) if (!commands.includes(event)) await this.#decide(event, found);
  }

  async #decide(event: Event, found: Found): Promise<void> {
    const taken = (path: string) => (found.commanded && event.name !== 'manual') || found.started.has(path);
    const open = found.workflows.filter(({ path }) => !taken(path));
    const complete = await this.#complete(event, open);
    const grounds = await this.#groundsOf(complete, found);
    const judged: (Judged & { workflow: string | null })[] = [];
    for (const loaded of found.workflows) {
      await (this.#parts.breathe ?? immediately)();
      const one = taken(loaded.path)
        ? { verdict: 'not matched' as const, reason: TAKEN, run: null }
        : await decideWorkflow(complete, loaded, grounds);
      if (one.run) found.started.add(loaded.path);
      judged.push({ ...one, workflow: loaded.name });
    }
    if (judged.length === 0) judged.push({ verdict: 'not matched', reason: NO_WORKFLOW, run: null, workflow: null });
    await tellRefused(this.#parts.services, event, judged);
    const about = { at: Date.now(), delivery: event.delivery, event: event.name };
    const decisions = judged.map(({ verdict, reason, run, workflow }): Decision => ({ ...about, workflow, verdict, reason, run }));
    await this.#parts.services.store.decisions.record(event.repository.id, resourceKey(complete.resource), decisions);
  }

  async #groundsOf(event: Event, { guidance, sha, rules }: Found): Promise<WorkflowGrounds> {
    const { services, app } = this.#parts;
    return {
      services,
      guidance,
      sha,
      rules,
      self: (await app.identity()).login,
      canWrite: (login) => this.#canWrite(event, login),
      endOthers: (reason, options) => this.#endOthers(event, reason, options),
    };
  }

  async #obey(event: Event, order: BuiltIn, found: Found): Promise<void> {
    const { services } = this.#parts;
    const done = await obeyOrder(services, event, order, {
      workflows: found.workflows,
      canWrite: (login) => this.#canWrite(event, login),
      retry: async (start) => (await restartRun(services, start, event.delivery)).run,
      approve: () => this.#approve(event, found),
    });
    const decision = { at: Date.now(), delivery: event.delivery, event: event.name, workflow: null, ...done };
    await services.store.decisions.record(event.repository.id, resourceKey(event.resource), [decision]);
  }

  async #sendToSession(event: Event): Promise<boolean> {
    const { services } = this.#parts;
    const sent = await sendToSession(services, event, {
      canWrite: (login) => this.#canWrite(event, login),
      lookBefore: (opened) => this.#missed.lookBefore(event, opened),
    });
    if (!sent) return false;
    const decision = { at: Date.now(), delivery: event.delivery, event: event.name, workflow: null, ...sent };
    await services.store.decisions.record(event.repository.id, resourceKey(event.resource), [decision]);
    return true;
  }

  /** Fetches what the delivery did not tell, where a workflow waits for such an event. */
  async #complete(event: Event, workflows: ShelvedWorkflow[]): Promise<Event> {
    const waiting = workflows.flatMap(({ workflow }) => (workflow && isAwaited(workflow.triggers, event) ? [workflow] : []));
    if (waiting.length === 0) return event;
    const whole = await this.#completePull(event);
    if (event.name !== 'manual' || waiting.every((workflow) => ciUseOf(workflow) === 'none')) return whole;
    return completeCi(whole, await this.#parts.app.api(event.installation, event.repository.id, 'read'));
  }

  async #completePull(event: Event): Promise<Event> {
    return completeEvent(event, await this.#parts.app.api(event.installation, event.repository.id, 'read'));
  }

  async #approve(event: Event, { workflows, guidance, sha, rules }: Found) {
    if ('problem' in rules) return { verdict: 'not matched' as const, reason: rules.problem, run: null };
    const whole = await this.#completePull(event);
    const { author } = whole;
    const authorWrites = author !== null && !author.bot && (await this.#canWrite(event, author.login));
    return approve(this.#parts.services, event, {
      whole,
      workflows,
      guidance,
      sha,
      forks: rules.settings.forks,
      kept: rules.kept,
      authorWrites,
    });
  }

  /** Ends what is under way on a resource, but not what this very delivery started before it was interrupted. */
  async #endOthers(event: Event, reason: string, options: { waiting?: boolean } = {}): Promise<void> {
    const { services } = this.#parts;
    const started = await services.store.runsOf(resourceKey(event.resource), 50);
    const own = new Set(this.#shelf.pathsOf(event.repository.id).map((path) => runIdOf(event, path)));
    await endRuns(services, event, { reason, except: started.filter((run) => own.has(run)), ...options });
  }

  async #canWrite(event: Event, login: string): Promise<boolean> {
    const api = await this.#parts.app.api(event.installation, event.repository.id, 'read');
    return this.#parts.permissions.canWrite(api, event.repository, login);
  }
}

/** Whether a delivery can start anything: its payload is what GitHub sends under its name, and somebody here reads it. */
function mayStart(delivery: Delivery): boolean {
  const { name, payload } = delivery;
  return toPress(delivery) !== null || (isHandled(name) && misfitOf(name, payload) === null);
}

/** How long the same press again is a double click or a redelivery, and not another wish. */
const PRESS_SECONDS = 10;

const TAKEN = 'a command or another event of the same delivery started a workflow';

const NO_WORKFLOW = 'the default branch holds no workflow: commit .overcut/workflow.json';

/** The app hears of its own comments only the command that is their first word. */
function isOwnCommand({ name, comment, command }: Event): boolean {
  return name === 'manual' && !command?.withMention && comment?.body.trimStart().split(/\s/, 1)[0] === `/${command?.name}`;
}

/** A comment is its commands first, and only without one for a workflow a mention or a comment. */
function inOrder(events: Event[]): Event[] {
  const rank = ({ name }: Event) => (name === 'manual' ? 0 : name === 'mention' ? 1 : 2);
  return events.toSorted((a, b) => rank(a) - rank(b));
}
