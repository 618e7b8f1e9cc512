import { CLOCK, type Clock } from '../journal/clock.ts';
import type { Diff } from '../journal/diff.ts';
import type { Doubts, Effect, EffectRecords, Outcome, Places, Sent } from '../journal/effect.ts';
import { Pending } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';
import type { DraftReviews } from '../journal/finding.ts';
import type { RunRules } from '../workflow/settings.ts';
import type { Api } from './api.ts';
import { createCheck, updateCheck } from './check.ts';
import { dispatchCi } from './ci-dispatch.ts';
import { rerunCi } from './ci-effect.ts';
import type { Kept } from './clean.ts';
import { createComment, updateComment } from './comment.ts';
import { lookAgain, noteDoubt } from './doubt.ts';
import type { Governor } from './governor.ts';
import { updateItem } from './item-effect.ts';
import { addReaction } from './reaction.ts';
import { checkRecord, claim, endRecord, noteInRecord } from './record.ts';
import { submitReview } from './review.ts';
import { replyInThread, resolveThread } from './thread-effect.ts';
import { Unsettled, Withdrawn, Writer } from './writer.ts';

/** What the publisher works with. `worker` is this process' nonce, `identity` the App's own login. */
export interface PublisherOptions {
  api: (installation: number, repository: number, purpose: 'review' | 'ci') => Promise<Api>;
  identity: () => Promise<{ login: string }>;
  records: EffectRecords;
  doubts: Doubts;
  governor: Governor;
  /** Reviews of one pull request are made one after the other: GitHub allows one pending review. */
  places: Places;
  drafts: DraftReviews;
  /** The change at the event's head (and base). May throw; the effect is then tried again by the caller. */
  diff: (event: Event) => Promise<Diff>;
  /** What counts where a run has no rules of its own. */
  settings: RunRules;
  worker: string;
  clock?: Clock;
}

/** One effect of a run. `key` names it in the run's journal; the same key again answers what was done. */
export interface Performance {
  run: string;
  key: string;
  event: Event;
  effect: Effect;
  /** Those of the run; absent: the app's settings of today. */
  rules?: RunRules;
  /** What cleaning leaves alone. */
  kept?: Kept;
  /** Ends the wait before the first write, never a write. */
  signal?: AbortSignal;
  /** Asked right before every write; false stops here. */
  mayStillAct?: () => Promise<boolean>;
  /** Told when it was carried out by this very call, with this very effect: nothing of it was found begun before. Must not throw. */
  onMade?: () => void;
}

/** The only one who writes to GitHub. */
export interface Publisher {
  /**
   * Carries an effect out exactly once, over any number of calls and workers. Throws `Pending` where it has to wait (limits, GitHub away),
   * `Superseded` where another worker has the effect; both leave a record from which the next call goes on.
   */
  perform(call: Performance): Promise<Outcome>;
  /**
   * Looks again for what an effect in doubt has made, and removes doubles, also after its run's end. Answers when to look once more (ms since 1970), or null.
   * May be repeated; throws where GitHub does not answer.
   */
  lookAgain(id: string): Promise<number | null>;
}

/** After this long (ms) without a clear answer an effect ends as unknown. */
const GIVE_UP_MS = 30 * 60_000;
/** An effect in doubt that is under way in this process is looked at again after this long (ms). */
const UNDERWAY_MS = 10_000;
/** How long a review that was broken off keeps others of its pull request waiting, and how often these look (ms). */
const REVIEW_MS = 5 * 60_000;
const REVIEW_AGAIN_MS = 1_000;

/** Makes the publisher of a process. */
export function createPublisher(options: PublisherOptions): Publisher {
  const shared: Shared = { ...options, clock: options.clock ?? CLOCK, newest: new Map() };
  const live = new Map<string, Promise<Outcome>>();
  return {
    perform(call) {
      const id = `${call.run}:${call.key}`;
      const known = live.get(id);
      if (known) return known;
      const work = perform(shared, id, call).finally(() => live.delete(id));
      live.set(id, work);
      return work;
    },
    lookAgain: async (id) => (live.has(id) ? shared.clock.now() + UNDERWAY_MS : lookAgain(shared, id)),
  };
}

interface Shared extends PublisherOptions {
  clock: Clock;
  /** The newest edit of each comment that waits or is under way. */
  newest: Map<string, symbol>;
}

async function perform(shared: Shared, id: string, call: Performance): Promise<Outcome> {
  const known = await shared.records.get(id);
  if (known?.state === 'ended') return known.outcome;
  const api = await shared.api(call.event.installation, call.event.repository.id, call.effect.type.startsWith('ci.') ? 'ci' : 'review');
  const { login } = await shared.identity();
  const claimed = await claim(shared, id, known);
  if (claimed.status === 'ended') return claimed.outcome;
  const { record, resumed } = claimed;
  const { governor, clock } = shared;
  const base = { api, governor, clock, event: call.event, login, key: id, since: record.at };
  const guard = async (purpose: 'act' | 'undo') => {
    await checkRecord(shared, id);
    if (purpose === 'undo') return;
    if (call.mayStillAct && !(await call.mayStillAct())) throw new Withdrawn('the run ended before this was written');
    if (call.effect.type === 'review.submit') await keepTurn(shared, call.event, call.run);
  };
  const onDoubt = () => noteDoubt(shared, id, { event: call.event, effect: call.effect, since: record.at });
  const noteSent = (sent: Sent) => noteInRecord(shared, id, { sent });
  const own = { resumed, guard, onDoubt, noteSent, ...(record.sent ? { sent: record.sent } : {}) };
  const writer = new Writer({ ...base, ...own, ...(call.signal ? { signal: call.signal } : {}) });
  try {
    const outcome = await act(shared, writer, call);
    await endRecord(shared, id, outcome);
    tellMade(call, { resumed, outcome });
    return outcome;
  } catch (error) {
    if (error instanceof Withdrawn) return { status: resumed || writer.begun ? 'unknown' : 'refused', reason: error.message };
    if (error instanceof Pending) return giveUp(shared, id, { error, unclear: record.unclear ?? clock.now() });
    throw error;
  }
}

function tellMade({ onMade }: Performance, { resumed, outcome }: { resumed: boolean; outcome: Outcome }): void {
  if (!resumed && outcome.status === 'done') onMade?.();
}

/** Ends as unknown what GitHub has given no clear answer to for too long; throws what it waits for where there is time left. `unclear`: since when. */
async function giveUp(shared: Shared, id: string, { error, unclear }: { error: Pending; unclear: number }): Promise<Outcome> {
  const isUnclear = error instanceof Unsettled;
  if (!isUnclear || shared.clock.now() - unclear < GIVE_UP_MS) {
    await noteInRecord(shared, id, { unclear: isUnclear ? unclear : null }).catch(() => undefined);
    throw error;
  }
  const outcome: Outcome = { status: 'unknown', reason: `GitHub gave no clear answer for 30 minutes: ${error.reason}` };
  await endRecord(shared, id, outcome);
  return outcome;
}

function act(shared: Shared, writer: Writer, { run, effect, kept, rules }: Performance): Promise<Outcome> {
  const policy = rules ?? shared.settings;
  switch (effect.type) {
    case 'comment.create':
      return createComment(writer, effect, kept ?? {});
    case 'comment.update':
      return updateNewest(shared, writer, effect);
    case 'item.update':
      return updateItem(writer, effect, { policy, kept: kept ?? {} });
    case 'ci.rerun':
      return rerunCi(writer, effect);
    case 'ci.dispatch':
      return dispatchCi(writer, effect);
    case 'reaction.add':
      return addReaction(writer, effect);
    case 'check.create':
      return createCheck(writer, effect);
    case 'check.update':
      return updateCheck(writer, effect);
    case 'review.submit':
      return inTurn(shared, { writer, holder: run }, () =>
        submitReview(writer, effect, { run, drafts: shared.drafts, diff: shared.diff, policy }),
      );
    case 'thread.reply': {
      const turn = <T>(work: () => Promise<T>) => inTurn(shared, { writer, holder: writer.key }, work);
      return replyInThread(writer, { thread: effect.thread, run, drafts: shared.drafts, body: effect.body, inTurn: turn });
    }
    case 'thread.resolve':
      return resolveThread(writer, { thread: effect.thread, run, drafts: shared.drafts });
  }
}

/** Two runs of one pull request may both be at work; a review that one has begun is not for the other to find. What was broken off keeps its holder's turn. */
async function inTurn<T>(shared: Shared, { writer, holder }: { writer: Writer; holder: string }, work: () => Promise<T>): Promise<T> {
  await keepTurn(shared, writer.event, holder);
  let ended = false;
  try {
    const outcome = await work();
    ended = true;
    return outcome;
  } finally {
    if (ended || !writer.begun) await shared.places.letGo(turnOf(writer.event), holder);
  }
}

/** Takes the turn of a pull request's reviews, or keeps it for longer. Throws `Pending` where another has it. */
async function keepTurn({ places, clock }: Shared, event: Event, holder: string): Promise<void> {
  if (!(await places.hold(turnOf(event), holder, REVIEW_MS)))
    throw new Pending('another review of this pull request', clock.now() + REVIEW_AGAIN_MS);
}

function turnOf({ repository, resource }: Event): string {
  return `review:${repository.id}:${'number' in resource ? resource.number : ''}`;
}

async function updateNewest({ newest }: Shared, writer: Writer, effect: Extract<Effect, { type: 'comment.update' }>): Promise<Outcome> {
  const name = `${writer.event.repository.id}:${effect.comment}`;
  const mine = Symbol(name);
  newest.set(name, mine);
  try {
    return await updateComment(writer, effect, () => newest.get(name) === mine);
  } finally {
    if (newest.get(name) === mine) newest.delete(name);
  }
}
