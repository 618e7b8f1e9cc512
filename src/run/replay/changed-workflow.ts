import type { Draft, Entry, RunStart } from '../../journal/entry.ts';
import { startOf } from '../../journal/view.ts';
import type { Workflow } from '../../workflow/definition.ts';
import { matchTriggers } from '../../workflow/trigger.ts';
import { compareParts, type Difference, describePlace, placeOfKey } from './difference.ts';
import { replayJournal } from './replay.ts';
import type { Tape } from './tape.ts';
import type { TapedJournal } from './taped-journal.ts';
import type { Asked } from './taped-world.ts';

/** Where a changed workflow would first have gone another way: it would not have started, or it differs at an entry; or nowhere. */
export type Change =
  | { kind: 'not started'; reason: string }
  | { kind: 'differs'; difference: Difference }
  | { kind: 'same'; entries: number }
  /** The record cannot be derived again even without the change. */
  | { kind: 'unusable'; difference: Difference };

/**
 * Replays a record with another workflow in the place of its own. Both are derived by this build, so what it words otherwise than the one that recorded the
 * run does not count. The first difference ends it: after that there is no answer of the model to go on with.
 */
export async function replayWith(tape: Tape, workflow: Workflow): Promise<Change> {
  const entries = tape.journals.get(tape.run) ?? [];
  const start = startOf(entries);
  if (!start) throw new Error(`the record of ${tape.run} has no start`);
  const match = matchTriggers(workflow.triggers, start.event);
  if ('reason' in match) return { kind: 'not started', reason: match.reason };
  const questions = new Map<string, string>();
  const before = await replayJournal(tape, tape.run, {
    strictness: { prompts: false },
    asked: () => (place, question) => void questions.set(place, JSON.stringify(question)),
  });
  if (before.difference) return { kind: 'unusable', difference: before.difference };
  const journals = new Map(tape.journals);
  journals.set(tape.run, withWorkflow(derivedEntries(entries, before.derived), workflow));
  const after = await replayJournal({ ...tape, journals }, tape.run, {
    strictness: { prompts: true },
    asked: (journal) => compareQuestions(journal, questions),
  });
  return after.difference ? { kind: 'differs', difference: after.difference } : { kind: 'same', entries: after.same };
}

/** The record as this build would have written it. */
function derivedEntries(entries: readonly Entry[], derived: ReadonlyMap<number, Draft>): Entry[] {
  return entries.map((entry, at) => {
    const draft = derived.get(at);
    return draft ? ({ ...entry, ...(JSON.parse(JSON.stringify(draft)) as object) } as Entry) : entry;
  });
}

function withWorkflow([first, ...rest]: Entry[], definition: Workflow): Entry[] {
  if (first?.type !== 'run.started') return [];
  const start: RunStart = { ...first.start, workflow: { ...first.start.workflow, name: definition.name, definition } };
  return [{ ...first, start }, ...rest];
}

function compareQuestions(journal: TapedJournal, before: ReadonlyMap<string, string>): Asked {
  return (key, question) => {
    const field = compareParts(JSON.parse(before.get(key) ?? '{}'), JSON.parse(JSON.stringify(question)));
    if (!field) return;
    const place = placeOfKey(key);
    const words = `${question.words} (${describePlace(place)})`;
    journal.diverge({ place, recorded: words, derived: words, field });
  };
}
