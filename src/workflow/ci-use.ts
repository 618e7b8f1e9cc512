import type { Workflow } from './definition.ts';

/** What a workflow wants to know of a CI run: nothing, only where it ran (branch and commit), or the run itself. */
export type CiUse = 'none' | 'place' | 'run';

/** What a command on a pull request knows without a run. */
const PLACE = new Set(['branch', 'commitSha', 'isPullRequest', 'pullRequestId']);

/**
 * What a workflow that a command starts says about `ciWorkflow`, in its params, instructions, edges and the conditions of its manual triggers. A command
 * knows no CI run by itself, so the newest failed one is looked for where this is not `none`.
 */
export function ciUseOf({ steps, flow, triggers }: Workflow): CiUse {
  const conditions = triggers.filter(({ event }) => event === 'manual').map((trigger) => trigger.conditions);
  const text = JSON.stringify([steps, flow, conditions]);
  const fields = [...text.matchAll(/\b(?:trigger|context)\.ciWorkflow\b(?:\.(\w+))?/g)].map(([, field]) => field);
  if (fields.length === 0) return 'none';
  return fields.every((field) => field !== undefined && PLACE.has(field)) ? 'place' : 'run';
}
