import { canonicalToolName } from '../agent/role.ts';
import type { Diff, DiffFile } from '../journal/diff.ts';
import type { Entry } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import type { RunView } from '../journal/view.ts';
import { diffOf } from '../session/mind.ts';
import { rulesOf, type Services } from '../session/services.ts';
import { diffPath } from '../tools/changed-file.ts';
import { ignoredBy } from '../workflow/ignore.ts';

/** What became of a changed file: who looked at it, or why nobody did. */
export type FileState =
  | { path: string; state: 'read'; by: string[] }
  | { path: string; state: 'ignored'; rule: string }
  | { path: string; state: 'nothing to read' | 'binary' | 'too large' | 'failed' | 'unread' };

/** The changed files of a review. */
export interface Coverage {
  files: FileState[];
}

/** A look at a file, or at several: paths as agents wrote them, and first lines of files in git's diff. */
export interface Look {
  agent: string;
  at: string[];
  failed: boolean;
}

/** A file with a longer diff that nobody looked at is said to be too large, in characters. */
const LARGE = 200_000;

/** Which changed files a run's agents looked at; null where the run is no review, or that cannot be told. Reads the journals of its delegations: for an end only. */
export async function coverageOf(
  services: Services,
  { view, entries, reviewed }: { view: RunView; entries: readonly Entry[]; reviewed: boolean },
): Promise<Coverage | null> {
  const { event, run } = view.start;
  if (event.resource.kind !== 'pr') return null;
  const own = looksIn(entries, 'Coordinator');
  const looksAtDiff = entries.some((entry) => entry.type === 'delegation.ended' && 'get_pull_request_diff' in entry.end.calls);
  if (!reviewed && !looksAtDiff && own.length === 0) return null;
  try {
    const queued = entries.filter((entry) => entry.type === 'delegation.queued');
    const journals = await Promise.all(
      queued.map(async ({ delegation, agent }) => looksIn(await services.store.journals.read(delegation), agent)),
    );
    const { ignore } = rulesOf(services, view.start);
    return coverFiles(await diffOf(services, event), event, { looks: [...own, ...journals.flat()], ignore });
  } catch (error) {
    services.log.warn({ run, err: error }, 'what was looked at cannot be told');
    return null;
  }
}

/** Sorts the files of a change by what became of them; `ignore` are the rules of the settings. Pure. */
export function coverFiles(diff: Diff, event: Event, { looks, ignore = [] }: { looks: Look[]; ignore?: readonly string[] }): Coverage {
  const seen = new Map<string, { by: Set<string>; failed: boolean }>();
  const byHeader = new Map(diff.files.map((file) => [headerOf(file), file.path]));
  for (const { agent, at, failed } of looks) {
    for (const one of at) {
      const path = byHeader.get(one) ?? diffPath(diff, event, one);
      const known = seen.get(path) ?? { by: new Set(), failed: false };
      if (failed) known.failed = true;
      else known.by.add(agent);
      seen.set(path, known);
    }
  }
  return { files: diff.files.map((file) => stateOf(file, seen.get(file.path), ignoredBy(ignore, file.path))) };
}

/** How many of the files need no look any more. */
export function coveredIn({ files }: Coverage): number {
  return files.filter(({ state }) => SETTLED.has(state)).length;
}

const SETTLED = new Set<FileState['state']>(['read', 'ignored', 'binary', 'nothing to read']);

function stateOf(file: DiffFile, seen: { by: Set<string>; failed: boolean } | undefined, rule: string | null): FileState {
  const { path } = file;
  if (seen && seen.by.size > 0) return { path, state: 'read', by: [...seen.by] };
  if (rule !== null) return { path, state: 'ignored', rule };
  if (file.binary) return { path, state: 'binary' };
  if (file.hunks.length === 0) return { path, state: 'nothing to read' };
  if (seen?.failed) return { path, state: 'failed' };
  return { path, state: file.text.length > LARGE ? 'too large' : 'unread' };
}

const WITH_PATH = new Set(['read_file', 'get_pull_request_diff_line_numbers']);

/** The looks of a journal: its calls that read files or the diff, with how they came out. */
export function looksIn(entries: readonly Entry[], agent: string): Look[] {
  const results = new Map(entries.flatMap((entry) => (entry.type === 'call.ended' ? [[entry.key, entry.result] as const] : [])));
  return entries.flatMap((entry) => {
    if (entry.type !== 'turn.answered') return [];
    const calls = entry.answer.content.filter((block) => block.type === 'tool_use');
    return calls.flatMap(({ name, input }, index): Look[] => {
      const result = results.get(`${entry.key}/call/${index}`);
      const tool = canonicalToolName(name);
      if (!result) return [];
      if (tool === 'get_pull_request_diff')
        return [{ agent, at: result.text.split('\n').filter((line) => line.startsWith('diff --git ')), failed: result.error === true }];
      return WITH_PATH.has(tool) ? [{ agent, at: pathsIn(input), failed: result.error === true }] : [];
    });
  });
}

function pathsIn(input: unknown): string[] {
  if (typeof input !== 'object' || input === null) return [];
  const { path, paths, file, filePath } = input as Record<string, unknown>;
  return [path, paths, file, filePath].flat().filter((one) => typeof one === 'string');
}

function headerOf({ text }: DiffFile): string {
  return text.split('\n', 1)[0] ?? '';
}
