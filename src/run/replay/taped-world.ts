import { digestOfRequest, type Model, type ModelRequest, ModelUnavailable, PromptTooLong } from '../../agent/model.ts';
import type { ToolAnswer } from '../../agent/tool.ts';
import type { Conversation } from '../../github/conversation.ts';
import type { Discovery, Listed } from '../../github/discovery.ts';
import type { Outcome } from '../../journal/effect.ts';
import type { Entry, EntryType } from '../../journal/entry.ts';
import { Fatal, Pending } from '../../journal/errors.ts';
import type { Event } from '../../journal/event.ts';
import type { Blobs, Changes } from '../../journal/tree.ts';
import type { Candidate } from '../../session/repository-choice.ts';
import type { Services } from '../../session/services.ts';
import { digestOf } from '../../store/encoding.ts';
import { runTool } from '../../tools/run-tool.ts';
import { type Merged, mergeChanges, type Part } from '../../workspace/merge.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import type { Early } from '../leftovers.ts';
import { describePlace, placeOfKey } from './difference.ts';
import type { Tape } from './tape.ts';
import type { TapedJournal } from './taped-journal.ts';

/** A question to the outside; `words` say for people what kind it is. */
export type Question = { words: string } & Record<string, unknown>;

/** Told of everything that is asked of the outside, by the key of the place that asks. */
export type Asked = (place: string, question: Question) => void;

/** The world as one journal saw it: what its record has an answer for is answered by it, what failed fails again, and the rest is never answered. */
export interface TapedWorld extends Pick<Services, 'model' | 'workspace' | 'github'> {
  runTool: typeof runTool;
}

/** These answer from what the run itself knows. */
const OWN_TOOLS = new Set(['update_status', 'task_completed']);

/** The world of one journal; `asked` hears every question to a model or a tool before it is answered. */
export function makeTapedWorld(tape: Tape, journal: TapedJournal, asked: Asked): TapedWorld {
  return {
    model: { ask: (request, { place = '' }) => askTape(journal, asked, { request, place }) },
    workspace: makeWorkspace(tape, journal, asked),
    github: {
      lookAgain: refuse,
      reader: () => ({ ...READER, readConversation: async () => readAsRecorded(journal) }),
      discovery: (event) => tapedDiscovery(journal, event),
      perform: ({ run, key, effect }) => perform(tape, journal, { id: `${run}:${key}`, key, type: effect.type }),
    },
    async runTool(tool, context, input) {
      const key = context.key.slice(journal.id.length + 1);
      if (OWN_TOOLS.has(tool.name)) return runTool(tool, context, input);
      const at = await findAnswer(journal, { type: 'call.ended', key, words: `calls ${tool.name}` });
      const entry = journal.tape[at];
      if (entry?.type !== 'call.ended') throw new Error(`entry ${at + 1} answers no call`);
      const answer: ToolAnswer = { ...entry.result };
      return entry.changes ? { ...answer, changes: entry.changes } : answer;
    },
  };
}

function refuse(): never {
  throw new Error('a replay reads nothing from GitHub');
}

/** What was said, as a step that begins now was told of it. */
function toldOf(journal: TapedJournal): Conversation {
  const noted = journal.tape[journal.positionWhere((entry) => entry.type === 'noted' && entry.key.endsWith('/conversation'))];
  return noted?.type === 'noted' ? (noted.value as Conversation) : { said: [], hidden: 0, older: 0 };
}

const READER = {
  readPullRequest: refuse,
  readIssue: refuse,
  list: refuse,
  readCiRun: refuse,
  listCiRuns: refuse,
  readCiLog: refuse,
  listDispatched: refuse,
  readAttachments: refuse,
};

/**
 * Where the record has the answer to a question. What failed before it was answered fails again with the recorded error, and what was never answered
 * because the work ended ends it again.
 */
async function findAnswer(journal: TapedJournal, question: { type: EntryType; key: string; words: string }): Promise<number> {
  const { type, key, words } = question;
  const at = journal.positionOf(type, key);
  failAsRecorded(journal, workOf(key), at);
  if (at >= 0) return at;
  const place = placeOfKey(key);
  return journal.wish({ words: `${words} (${describePlace(place) || key})`, place });
}

/** What was said before the step that began last, read for its briefing: where that failed it fails again. */
function readAsRecorded(journal: TapedJournal): ReturnType<typeof toldOf> {
  const begun = journal.entries.findLast((entry) => entry.type === 'step.started');
  const work = begun?.type === 'step.started' ? `step/${begun.step}` : '';
  failAsRecorded(journal, work, journal.positionOf('briefed', work));
  return toldOf(journal);
}

/** A step, or the work of a delegation. */
function workOf(key: string): string {
  return /^step\/[^/]+/.exec(key)?.[0] ?? key.split('/')[0] ?? key;
}

function failAsRecorded(journal: TapedJournal, work: string, answeredAt: number): void {
  const before = (at: number) => at >= 0 && (answeredAt < 0 || at < answeredAt);
  const trouble = journal.positionWhere((entry) => entry.type === 'noted' && entry.key.startsWith(`${work}/trouble/`));
  const noted = before(trouble) ? journal.tape[trouble] : undefined;
  if (noted?.type === 'noted') throw new Error(String(noted.value));
  const reason = answeredAt < 0 ? failureOf(journal, work) : null;
  if (reason === null) return;
  const counted = /^tried \d+ times: /.exec(reason)?.[0];
  throw counted ? new Error(reason.slice(counted.length)) : new Fatal(reason);
}

/** Why a step or delegation failed, where it did. */
function failureOf(journal: TapedJournal, work: string): string | null {
  const step = work.startsWith('step/') ? work.slice('step/'.length) : null;
  for (const entry of journal.tape) {
    if (step !== null && entry.type === 'step.ended' && entry.step === step && entry.state === 'Failed') return entry.reason;
    if (step === null && entry.type === 'delegation.ended' && entry.key === 'end' && entry.end.status === 'failed') return entry.end.result;
  }
  return null;
}

/** A prompt that was not told like this may have been shortened before it was: the next shorter one is asked for, as often as a conversation does that. */
async function askTape(
  journal: TapedJournal,
  asked: Asked,
  { request, place }: { request: ModelRequest; place: string },
): ReturnType<Model['ask']> {
  interruptAsRecorded(journal, place);
  const at = await findAnswer(journal, { type: 'turn.answered', key: place, words: 'asks the model' });
  const entry = journal.tape[at];
  if (entry?.type !== 'turn.answered') throw new Error(`entry ${at + 1} is no answer of a model`);
  const others = journal.shortened.get(place) ?? 0;
  if (entry.request !== undefined && entry.request !== digestOfRequest(request) && others < MOST_SHORTENED) {
    journal.shortened.set(place, others + 1);
    throw new PromptTooLong('the record was told another prompt');
  }
  asked(place, { words: 'the model is asked', model: request.model, system: request.system, messages: request.messages });
  return structuredClone(entry.answer);
}

const MOST_SHORTENED = 2;

/** A model that was away is away again; a call that was given up because of news that came meanwhile is given up again. */
function interruptAsRecorded(journal: TapedJournal, place: string): void {
  const isMeant = (entry: Entry) =>
    'key' in entry && (entry.key === place || entry.key.startsWith(`${place}/news`)) && INTERRUPTS.has(entry.type);
  const entry = journal.tape[journal.positionWhere(isMeant)];
  if (entry?.type === 'model.away') throw new ModelUnavailable(entry.message, entry.until);
  if (entry?.type === 'noted') throw new Pending('what it hears meanwhile');
}

const INTERRUPTS: ReadonlySet<EntryType> = new Set(['model.away', 'noted', 'turn.answered']);

/** The repositories that the record shows: what was checked out, and what a model could choose among. All of them could be looked into. */
function tapedDiscovery(journal: TapedJournal, { repository }: Event): Discovery {
  const list = (entry: Entry): Listed[] => {
    if (entry.type === 'checkout') return [{ ...NOT_TOLD, repository: { ...repository, ...entry.checkout.repository, private: false } }];
    if (entry.type !== 'noted' || !entry.key.endsWith('/candidates')) return [];
    return (entry.value as Candidate[]).map(({ repoFullName, ...told }) => {
      const own = repoFullName === repository.fullName;
      return {
        ...told,
        repository: own ? repository : { ...repository, id: 0, fullName: repoFullName, name: lastPart(repoFullName), private: false },
      };
    });
  };
  return {
    list: () => Promise.resolve(journal.tape.filter((entry) => entry.type === 'noted').flatMap(list)),
    async find(name) {
      const at = journal.positionWhere((entry) => entry.type === 'checkout' && entry.key.endsWith(`/checkout/${name}`));
      const entry = journal.tape[at];
      return (entry && list(entry)[0]) ?? null;
    },
    canRead: () => Promise.resolve(true),
  };
}

const NOT_TOLD = { description: '', language: '', topics: [] };

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function makeWorkspace(tape: Tape, journal: TapedJournal, asked: Asked): Workspace {
  const part: Pick<Workspace, 'clone' | 'files' | 'search' | 'diff' | 'merge' | 'close'> = {
    async clone({ repository, branch, options }) {
      const at = journal.positionWhere((entry) => entry.type === 'checkout' && entry.checkout.repository.id === repository.id);
      const begun = journal.entries.findLast((entry) => entry.type === 'step.started');
      const entry = journal.tape[at];
      const key = entry?.type === 'checkout' ? entry.key : `step/${begun?.type === 'step.started' ? begun.step : ''}/checkout`;
      asked(key, { words: 'a repository is checked out', repository: repository.fullName, branch, options });
      const found = await findAnswer(journal, { type: 'checkout', key, words: `checks out ${repository.fullName}` });
      const answer = journal.tape[found];
      if (answer?.type !== 'checkout') throw new Error(`entry ${found + 1} is no checkout`);
      return answer.checkout;
    },
    files: () => lazyRefusal(),
    search: refuseFiles,
    diff: refuseFiles,
    merge: (base, parts) => mergeTaped(tape, journal, { base, parts }),
    close: () => Promise.resolve(),
  };
  return part as Workspace;
}

function refuseFiles(): never {
  throw new Error('a replay reads no files: what tools answered stands in the record');
}

function lazyRefusal(): ReturnType<Workspace['files']> {
  return new Proxy({}, { get: refuseFiles }) as ReturnType<Workspace['files']>;
}

/** Merges again what can be merged without the repository; where a file of it was changed by several, what was recorded holds. */
async function mergeTaped(
  tape: Tape,
  journal: TapedJournal,
  { base, parts }: { base: Parameters<Workspace['merge']>[0]; parts: Part[] },
): Promise<Merged> {
  const paths = parts.flatMap((part) => Object.keys(part.changes));
  const several = [...new Set(paths)].filter((path) => paths.indexOf(path) !== paths.lastIndexOf(path));
  const isOwn = (path: string) => parts.every(({ changes }) => changes[path] === undefined || changes[path]?.appended);
  if (!several.every(isOwn)) return recordedMerge(journal, parts);
  return mergeChanges({ base, parts, blobs: tapedBlobs(tape), readBase: () => Promise.resolve(null) });
}

const CONFLICTS = /\n\nNot merged, because another delegation of this turn changed it differently: (.+)\.$/s;

function recordedMerge(journal: TapedJournal, parts: Part[]): Merged {
  const ends = parts.flatMap(({ id }) => {
    const entry = journal.tape[journal.positionOf('call.ended', id)];
    return entry?.type === 'call.ended' ? [entry] : [];
  });
  const changes: Changes = Object.assign({}, ...ends.map((end) => end.changes ?? {}));
  const conflicts = ends.flatMap((end) =>
    (CONFLICTS.exec(end.result.text)?.[1]?.split(', ') ?? []).map((path) => ({ path, ids: [end.key] })),
  );
  return { changes, conflicts };
}

function tapedBlobs({ blobs }: Tape): Blobs {
  return {
    put: (content) => Promise.resolve(digestOf(content)),
    get(digest) {
      const content = blobs.get(digest);
      return content ? Promise.resolve(content) : Promise.reject(new Error(`the record lacks the content ${digest.slice(0, 12)}`));
    },
  };
}

/** What a session says and what a run posts at its end; effects of tools are answered with their calls. */
async function perform(tape: Tape, journal: TapedJournal, { id, key, type }: { id: string; key: string; type: string }): Promise<Outcome> {
  const done: Outcome = tape.effects.get(id) ?? { status: 'done', result: null };
  if (key.startsWith('late/')) return done;
  const at = await findAnswer(journal, { type: 'noted', key, words: `wants ${type}` });
  const entry = journal.tape[at];
  if (entry?.type !== 'noted') return done;
  if (key.endsWith('/early')) return (entry.value as Early).outcome ?? done;
  return key === 'leftovers' ? (entry.value as Outcome) : done;
}
