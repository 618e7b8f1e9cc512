import type { Configuration } from '../github/configuration.ts';
import { layoutOf } from '../workflow/layout.ts';
import { type Limits, type RunRules, runRulesOf, type Settings } from '../workflow/settings.ts';
import { narrow, parseRepositorySettings } from '../workflow/settings-file.ts';

/**
 * What a repository's own settings make of the app's: narrowed, what a run keeps of them, and what was asked for beyond the app's (`refused`); or why nothing may
 * run while they cannot be read.
 */
export type RepositoryRules = { settings: Settings; kept: { rules: RunRules; limits?: Limits }; refused: string[] } | { problem: string };

/**
 * The app's settings as `.overcut/settings.json` of the default branch narrows them; the app's own where there is no such file. A file with mistakes lets nothing
 * run: what it was meant to forbid is not known.
 */
export function rulesOf(settings: Settings, { files }: Pick<Configuration, 'files'>): RepositoryRules {
  const path = layoutOf(Object.keys(files)).settings;
  if (!path) return { settings, kept: { rules: runRulesOf(settings) }, refused: [] };
  const read = parseRepositorySettings(files[path] ?? '', path);
  const error = read.problems.find(({ severity }) => severity === 'error');
  if (!read.settings || error)
    return { problem: `${path} has mistakes: ${error ? `line ${error.line}: ${error.message}` : 'it cannot be read'}` };
  const narrowed = narrow(settings, read.settings);
  const { limits } = narrowed.settings;
  return { ...narrowed, kept: { rules: runRulesOf(narrowed.settings), limits } };
}
