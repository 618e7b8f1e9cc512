import type { Event } from './event.ts';

/** Something a run wants to be visible on GitHub. Owner, repository and number come from the run, never from a model. */
export type Effect =
  /** `slot`: there is one comment of this name under the item; where it stands already it is changed. */
  | { type: 'comment.create'; body: string; slot?: string }
  /** `marker`: the caller knows by its own record that it made this comment, under this marker, so that it need not be read before it is changed. */
  | { type: 'comment.update'; comment: number; body: string; marker?: string }
  | ({ type: 'item.update' } & ItemChange)
  | { type: 'reaction.add'; target: { kind: 'issue' | 'comment' | 'thread'; id: number }; content: 'eyes' | 'rocket' | 'confused' }
  | { type: 'check.create'; sha: string; name: string; external: string; output: CheckOutput; actions?: CheckAction[] }
  | {
      type: 'check.update';
      check: number;
      status: 'in_progress' | 'completed';
      conclusion?: Conclusion;
      output: CheckOutput;
      actions?: CheckAction[];
    }
  | { type: 'review.submit'; event: 'APPROVE' | 'COMMENT' | 'REQUEST_CHANGES'; body: string }
  | { type: 'thread.reply'; thread: string; body: string }
  | { type: 'thread.resolve'; thread: string }
  /** What failed of a CI run runs again, or this job of it. */
  | { type: 'ci.rerun'; run: number; job?: number }
  /** Starts a workflow of the repository on a branch or tag. */
  | { type: 'ci.dispatch'; workflow: string; ref: string; inputs: Record<string, string> };

/** What changes on the run's own pull request or issue; what is absent stays. Labels and people come and go one by one. */
export interface ItemChange {
  title?: string;
  body?: string;
  state?: 'open' | 'closed';
  addLabels?: string[];
  removeLabels?: string[];
  addAssignees?: string[];
  removeAssignees?: string[];
  /** By its title; null for none. */
  milestone?: string | null;
  /** Pull requests only. */
  draft?: boolean;
}

/** How a check run ended (words of GitHub). */
export type Conclusion = 'success' | 'neutral' | 'failure' | 'cancelled' | 'skipped';

/** What a check run says. Annotations are added to those that stand already, however many there are. */
export interface CheckOutput {
  title: string;
  summary: string;
  annotations?: Annotation[];
}

/** A button of a check run; GitHub shows at most 3, with labels and identifiers of at most 20 characters and descriptions of at most 40. */
export interface CheckAction {
  label: string;
  description: string;
  identifier: string;
}

/** A remark of a check run on a line of a file; `line` and `column` are 1-based. */
export interface Annotation {
  path: string;
  line: number;
  column: number;
  level: 'failure' | 'warning' | 'notice';
  message: string;
}

/** How an effect ended. `refused` is final (GitHub or our policy said no, with the reason); `unknown` must be looked up before another try. */
export type Outcome = { status: 'done'; result: unknown } | { status: 'refused'; reason: string } | { status: 'unknown'; reason: string };

/** When something that can carry no marker was last sent (ms since 1970), and the newest of its kind that stood before: what is newer may be it. */
export interface Sent {
  at: number;
  before: number;
}

/**
 * The record of one effect, shared by all workers: `<run>:<key>`. `intent` is read where an older build left it; nobody writes it. `unclear`: since when GitHub has
 * given no clear answer (ms since 1970).
 */
export type EffectRecord =
  | { state: 'intent'; at: number }
  | { state: 'acting'; at: number; by: string; unclear?: number; sent?: Sent }
  | { state: 'ended'; at: number; outcome: Outcome };

/** Effect records in the store. Every change is one compare-and-set, so two workers never act on one record at once. */
export interface EffectRecords {
  get(id: string): Promise<EffectRecord | null>;
  /** Writes `next` if the record still is what `seen` was; false if somebody else changed it. */
  swap(id: string, seen: EffectRecord | null, next: EffectRecord): Promise<boolean>;
}

/** An effect that is tried again after a look had not found it: the try before may yet show up beside it. `noted` is when it began (ms since 1970). */
export interface Doubt {
  event: Event;
  effect: Effect;
  /** When the effect was first begun (ms since 1970). */
  since: number;
  noted: number;
}

/** Doubts in the store: noted before the second try, they outlive the process that makes it. */
export interface Doubts {
  /** Notes a doubt, to be looked at again at a time (ms since 1970). */
  note(id: string, doubt: Doubt, at: number): Promise<void>;
  of(id: string): Promise<Doubt | null>;
}

/** A place in the one queue of writes that an installation has. Answers how long to wait (ms), or a place that must be given back. */
export interface WriteTurns {
  take(installation: number, options: { content: boolean }): Promise<{ wait: number } | { release(): Promise<void> }>;
  /** GitHub told us to stay away until this time (ms since 1970). */
  block(installation: number, until: number): Promise<void>;
  /** How much is left of what GitHub told us (ms); 0 where we may go on. */
  blockedFor(installation: number): Promise<number>;
}

/** Lets one holder at a time work at a place, for `ms` or until it lets go; false where another has it. The same holder may take it again. */
export interface Places {
  hold(place: string, holder: string, ms: number): Promise<boolean>;
  letGo(place: string, holder: string): Promise<void>;
}
