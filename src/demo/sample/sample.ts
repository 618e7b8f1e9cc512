import { BASE } from './base.ts';
import type { SampleCommit, SamplePull } from './change.ts';
import { FILTERS } from './pull-filters.ts';
import { NOTIFICATIONS, NOTIFICATIONS_NEXT } from './pull-notifications.ts';
import { questionFiles } from './questions.ts';
import { workflowFiles } from './workflow.ts';

/** A planted fault with its place in the diff of its change. */
export interface Planted {
  path: string;
  line: number;
  side: 'LEFT' | 'RIGHT';
  what: string;
}

/** What the demo is made of: a repository, a pull request with planted faults, its next commit, and a second pull request. */
export interface Sample {
  fullName: string;
  description: string;
  base: Record<string, string>;
  first: SamplePull;
  next: SampleCommit;
  second: SamplePull;
}

/** The sample repository, with our own review workflow on its default branch. */
export const SAMPLE: Sample = {
  fullName: 'pitwall-demo/parcels',
  description: 'A small service that keeps track of parcels',
  base: { ...BASE, ...workflowFiles(), ...questionFiles() },
  first: NOTIFICATIONS,
  next: NOTIFICATIONS_NEXT,
  second: FILTERS,
};

/** Where the faults of a commit stand: LEFT in the files before it, RIGHT in its own. Throws where a text is not there exactly once. */
export function locatePlanted(commit: SampleCommit, before: Record<string, string | null>): Planted[] {
  return commit.planted.map(({ path, side, text, what }) => {
    const lines = ((side === 'LEFT' ? before : commit.files)[path] ?? '').split('\n');
    const hits = lines.flatMap((line, at) => (line.trim() === text ? [at + 1] : []));
    const [line, ...more] = hits;
    if (line === undefined || more.length) throw new Error(`the sample's planted fault "${text}" stands ${hits.length} times in ${path}`);
    return { path, line, side, what };
  });
}
