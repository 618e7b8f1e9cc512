import type { Workflow } from '../workflow/definition.ts';
import type { Limits, RunRules } from '../workflow/settings.ts';
import type { Answer, ToolResult, Usage } from './answer.ts';
import type { Event } from './event.ts';
import type { Changes, Checkout, Tree } from './tree.ts';

/** Where a run may end or stand (spec words). */
export type RunState = 'Queued' | 'Running' | 'OnHold' | 'Completed' | 'Failed' | 'Skipped' | 'Terminating' | 'Cancelled' | 'Timeout';
/** Where a run may end. */
export type RunEnd = Extract<RunState, 'Completed' | 'Failed' | 'Skipped' | 'Cancelled' | 'Timeout'>;
/** Where a step may end or stand (spec words). */
export type StepState =
  | 'Pending'
  | 'Ready'
  | 'Running'
  | 'InSession'
  | 'WaitingForExternal'
  | 'WaitingForReply'
  | 'Completed'
  | 'Failed'
  | 'Skipped'
  | 'Canceled'
  | 'Terminating';
/** Where a step may end. */
export type StepEnd = Extract<StepState, 'Completed' | 'Failed' | 'Skipped' | 'Canceled'>;

/** How far a run is trusted (spec: who may do what). */
export type Trust = 'trusted' | 'untrusted';

/** An agent as it was resolved when the run started: everything a mind needs, as data. */
export interface Agent {
  id: string;
  name: string;
  type: string;
  description: string;
  /** Added to the type's own instructions. */
  instructions: string;
  model: string | null;
  /** Names of the tools it may call, aliases resolved. */
  tools: string[];
}

/** What a run is told once, at its start; nothing of it is read again from the repository. */
export interface RunStart {
  run: string;
  /** Path of the workflow's file and the commit of the default branch it was read at. */
  workflow: { path: string; name: string; sha: string; definition: Workflow };
  agents: Agent[];
  /** `AGENTS.md`/`CLAUDE.md` of the default branch, given to agents as data. */
  guidance: string;
  event: Event;
  trust: Trust;
  /** Length of the chain of runs that the app itself caused. */
  chain: number;
  /** It may not begin before this time (ms since 1970): the trigger's delay. */
  notBefore: number;
  /** The app's limits, as the repository narrowed them then; absent where it narrows none. */
  limits?: Limits;
  /** What the settings allowed it then; absent in runs of older builds, for which the app's settings of today count. */
  rules?: RunRules;
}

/** What a delegation is told; all that its journal starts from. */
export interface DelegationStart {
  run: string;
  delegation: string;
  /** Key of the call that asked for it, in the run's journal. */
  key: string;
  agent: Agent;
  label: string;
  instructions: string;
  allow: ToolAllowance[] | null;
  prohibit: string[];
  expect: Expectation | null;
  /** Time by which it has to end (ms since 1970), or null. */
  deadline: number | null;
  tree: Tree;
  event: Event;
  trust: Trust;
  goal: string;
  modelKey: string | null;
  /** Commands (`/pr`) that its comments may begin with, because the workflow's text names them. */
  commands?: string[];
  /** The run's. */
  limits?: Limits;
  rules?: RunRules;
  /** Why what the run has is partial: a step before ended early. */
  partial?: string;
}

/** A tool that a delegation may call; `maxCalls` in all, `perArgument` once per identical arguments, `only` binds an argument to a value or pattern. */
export interface ToolAllowance {
  name: string;
  maxCalls?: number;
  perArgument?: boolean;
  only?: Record<string, string>;
}

/** What has to be there when a delegation ends. */
export interface Expectation {
  scratchpad?: string;
  minCalls?: number;
  outputPattern?: string;
}

/** A line for each budget with a limit: whose it is, and what was used of it. */
export type BudgetLines = { of: string; text: string }[];

/** How a delegation ended. */
export interface DelegationEnd {
  status: 'completed' | 'failed' | 'timed out' | 'cancelled';
  result: string;
  turns: number;
  calls: Record<string, number>;
  /** Tokens by model id. */
  usage: Record<string, Usage>;
  changes: Changes;
  /** Tools that it asked for and that are its to use, but are not built. */
  lacking?: string[];
}

/** A comment that a session took: where it stands and what it said then. */
export interface HeardComment {
  comment: number;
  author: string;
  place: 'conversation' | 'thread';
  text: string;
  createdAt?: string;
  path?: string;
  line?: number;
}

/** Everything that can stand in a journal. `at` is Redis' time in ms; `key` names the place in the code it came from (step, turn, call), never a model's id. `request` is the digest of what the model was told. */
export type Entry = { at: number } & (
  | { type: 'run.started'; start: RunStart }
  | { type: 'run.merged'; event: Event; notBefore: number }
  | { type: 'delegation.started'; start: DelegationStart }
  | { type: 'run.state'; state: RunState; reason: string }
  | { type: 'run.ended'; state: RunEnd; reason: string; message: string; budgets?: BudgetLines }
  | { type: 'step.started'; step: string }
  | { type: 'step.state'; step: string; state: StepState }
  | { type: 'step.ended'; step: string; state: StepEnd; output: unknown; reason: string }
  | { type: 'checkout'; key: string; checkout: Checkout }
  | { type: 'briefed'; key: string; system: string; messages: string[]; tools: string[] }
  | { type: 'model.away'; key: string; message: string; until: number }
  | { type: 'turn.answered'; key: string; answer: Answer; ms: number; request?: string }
  | { type: 'call.started'; key: string; name: string; agent: string }
  | { type: 'call.ended'; key: string; name: string; result: ToolResult; changes?: Changes }
  | { type: 'delegation.queued'; key: string; delegation: string; agent: string; label: string }
  | { type: 'delegation.ended'; key: string; delegation: string; end: DelegationEnd }
  | ({ type: 'comment.heard'; key: string } & HeardComment)
  | { type: 'status'; key: string; message: string }
  | { type: 'noted'; key: string; value: unknown }
);

/** What an entry says that happened. */
export type EntryType = Entry['type'];
/** The entries of one type. */
export type EntryOf<T extends EntryType> = Extract<Entry, { type: T }>;
/** An entry before the journal gives it its time. */
export type Draft = Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never;
