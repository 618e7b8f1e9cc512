import type { Configuration } from '../github/configuration.ts';
import { layoutOf } from '../workflow/layout.ts';
import type { Limits, Settings } from '../workflow/settings.ts';
import { narrow, parseRepositorySettings } from '../workflow/settings-file.ts';

/** What a repository's own settings make of the app's: narrowed, with its limits where it has some of its own; or why nothing may run while they cannot be read. */
export type RepositoryRules = { settings: Settings; limits: { limits?: Limits } } | { problem: string };

/**
 * The app's settings as `.overcut/settings.json` of the default branch narrows them; the app's own where there is no such file. A file with mistakes lets nothing
 * run: what it was meant to forbid is not known.
 */
export function rulesOf(settings: Settings, { files }: Pick<Configuration, 'files'>): RepositoryRules {
  const path = layoutOf(Object.keys(files)).settings;
  if (!path) return { settings, limits: {} };
  const read = parseRepositorySettings(files[path] ?? '', path);
  const error = read.problems.find(({ severity }) => severity === 'error');
  if (!read.settings || error)
    return { problem: `${path} has mistakes: ${error ? `line ${error.line}: ${error.message}` : 'it cannot be read'}` };
  const narrowed = narrow(settings, read.settings).settings;
  return { settings: narrowed, limits: { limits: narrowed.limits } };
}
