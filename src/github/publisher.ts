import { CLOCK, type Clock } from '../journal/clock.ts';
import type { Diff } from '../journal/diff.ts';
import type { Doubts, Effect, EffectRecord, EffectRecords, Outcome, Places } from '../journal/effect.ts';
import { Pending, Superseded } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';
import type { DraftReviews } from '../journal/finding.ts';
import type { RunRules } from '../workflow/settings.ts';
import type { Api } from './api.ts';
import { createCheck, findCheck, updateCheck } from './check.ts';
import { dispatchCi } from './ci-dispatch.ts';
import { rerunCi } from './ci-effect.ts';
import type { Kept } from './clean.ts';
import { createComment, findComment, updateComment } from './comment.ts';
import type { Governor } from './governor.ts';
import { updateItem } from './item-effect.ts';
import { addReaction } from './reaction.ts';
import { submitReview } from './review.ts';
import { findReply, replyInThread, resolveThread } from './thread-effect.ts';
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
  /** Those of the run. */
  rules?: RunRules;
  /** What cleaning leaves alone. */
  kept?: Kept;
  /** Ends the wait before the first write, never a write. */
  signal?: AbortSignal;
  /** Asked right before every write; false stops here. */
  mayStillAct?: () => Promise<boolean>;
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
/** GitHub's lists may lag: when to look again for a double (ms after the second try). */
const LOOK_AGAIN_MS = [10_000, 40_000] as const;
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
    lookAgain: (id) => lookAgain(shared, id),
  };
}

interface Shared extends PublisherOptions {
  clock: Clock;
  /** The newest edit of each comment that waits or is under way. */
  newest: Map<string, symbol>;
}

type Acting = Extract<EffectRecord, { state: 'acting' }>;

async function perform(shared: Shared, id: string, call: Performance): Promise<Outcome> {
  const known = await shared.records.get(id);
  if (known?.state === 'ended') return known.outcome;
  const api = await shared.api(call.event.installation, call.event.repository.id, call.effect.type.startsWith('ci.') ? 'ci' : 'review');
  const { login } = await shared.identity();
  const claimed = await claim(shared, id);
  if (claimed.status === 'ended') return claimed.outcome;
  const { record, resumed } = claimed;
  const { governor, clock } = shared;
  const base = { api, governor, clock, event: call.event, login, key: id, since: record.at };
  const guard = (purpose: 'act' | 'undo') => checkRecord(shared, id, purpose === 'act' ? call : null);
  const onDoubt = () => noteDoubt(shared, id, { call, since: record.at });
  const writer = new Writer({ ...base, resumed, guard, onDoubt, ...(call.signal ? { signal: call.signal } : {}) });
  try {
    const outcome = await act(shared, writer, call);
    await end(shared, id, outcome);
    return outcome;
  } catch (error) {
    if (error instanceof Withdrawn) return { status: resumed || writer.begun ? 'unknown' : 'refused', reason: error.message };
    if (!(error instanceof Unsettled) || shared.clock.now() - record.at < GIVE_UP_MS) throw error;
    const outcome: Outcome = { status: 'unknown', reason: `GitHub gave no clear answer for 30 minutes: ${error.reason}` };
    await end(shared, id, outcome);
    return outcome;
  }
}

/** Takes the record: from nothing to intent to acting. One that is found acting keeps its time, and what it made is looked up first. */
async function claim(
  { records, worker, clock }: Shared,
  id: string,
): Promise<{ status: 'ended'; outcome: Outcome } | { status: 'ours'; record: Acting; resumed: boolean }> {
  for (;;) {
    const seen = await records.get(id);
    if (seen?.state === 'ended') return { status: 'ended', outcome: seen.outcome };
    if (seen === null) {
      await records.swap(id, null, { state: 'intent', at: clock.now() });
      continue;
    }
    const record: Acting = { state: 'acting', at: seen.at, by: worker };
    const resumed = seen.state === 'acting';
    if (resumed && seen.by === worker) return { status: 'ours', record: seen, resumed };
    if (await records.swap(id, seen, record)) return { status: 'ours', record, resumed };
  }
}

async function checkRecord({ records, worker }: Shared, id: string, call: Performance | null): Promise<void> {
  const record = await records.get(id);
  if (record?.state !== 'acting' || record.by !== worker) throw new Superseded(`another worker carries out ${id}`);
  if (call?.mayStillAct && !(await call.mayStillAct())) throw new Withdrawn('the run ended before this was written');
}

async function end({ records, worker, clock }: Shared, id: string, outcome: Outcome): Promise<void> {
  const seen = await records.get(id);
  const ours = seen?.state === 'acting' && seen.by === worker;
  if (ours && (await records.swap(id, seen, { state: 'ended', at: clock.now(), outcome }))) return;
  throw new Superseded(`another worker carries out ${id}`);
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
      return inTurn(shared, { writer, run }, () => submitReview(writer, effect, { run, drafts: shared.drafts, diff: shared.diff, policy }));
    case 'thread.reply':
      return replyInThread(writer, { thread: effect.thread, run, drafts: shared.drafts }, effect.body);
    case 'thread.resolve':
      return resolveThread(writer, { thread: effect.thread, run, drafts: shared.drafts });
  }
}

/** Two runs of one pull request may both be at work; a review that one has begun is not for the other to find. What was broken off keeps its run's turn. */
async function inTurn(
  { places, clock }: Shared,
  { writer, run }: { writer: Writer; run: string },
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const place = `review:${writer.event.repository.id}:${writer.number}`;
  if (!(await places.hold(place, run, REVIEW_MS))) throw new Pending('another review of this pull request', clock.now() + REVIEW_AGAIN_MS);
  let ended = false;
  try {
    const outcome = await work();
    ended = true;
    return outcome;
  } finally {
    if (ended || !writer.begun) await places.letGo(place, run);
  }
}

async function updateNewest({ newest }: Shared, writer: Writer, effect: Extract<Effect, { type: 'comment.update' }>): Promise<Outcome> {
  const name = `${writer.event.repository.id}:${effect.comment}`;
  const mine = Symbol(name);
  newest.set(name, mine);
  try {
    return await updateComment(writer, effect.comment, effect.body, () => newest.get(name) === mine);
  } finally {
    if (newest.get(name) === mine) newest.delete(name);
  }
}

/** Before a write is repeated that was not found: the first may yet show up, so doubles are looked for, and removed, for a minute, whoever lives then. */
async function noteDoubt({ doubts, clock }: Shared, id: string, { call, since }: { call: Performance; since: number }): Promise<void> {
  const { event, effect } = call;
  const noted = clock.now();
  if (CAN_BE_DOUBLED.includes(effect.type)) await doubts.note(id, { event, effect, since, noted }, noted + LOOK_AGAIN_MS[0]);
}

async function lookAgain({ doubts, api, identity, governor, clock }: Shared, id: string): Promise<number | null> {
  const doubt = await doubts.of(id);
  if (!doubt) return null;
  const { event, effect, since, noted } = doubt;
  const { login } = await identity();
  const own = { api: await api(event.installation, event.repository.id, 'review'), governor, clock, event, login };
  await findMade(new Writer({ ...own, key: id, since, resumed: true, guard: async () => undefined }), effect);
  const next = LOOK_AGAIN_MS.find((ms) => noted + ms > clock.now());
  return next === undefined ? null : noted + next;
}

const CAN_BE_DOUBLED: Effect['type'][] = ['comment.create', 'thread.reply', 'check.create'];

/** Looks for what an effect made, and removes doubles; null for what cannot be doubled. */
async function findMade(writer: Writer, effect: Effect): Promise<unknown> {
  switch (effect.type) {
    case 'comment.create':
      return findComment(writer, effect.slot);
    case 'thread.reply':
      return findReply(writer);
    case 'check.create':
      return findCheck(writer, effect);
    default:
      return null;
  }
}
