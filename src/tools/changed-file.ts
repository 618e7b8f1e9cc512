import { place } from '../github/ladder.ts';
import type { Diff, DiffFile } from '../journal/diff.ts';
import { ToolError } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';

/** A path as the diff spells it: agents also write it with the workspace and the checkout's folder before it. */
export function diffPath(diff: Diff, event: Event, path: string): string {
  const given = path.trim();
  if (diff.files.some((file) => file.path === given)) return given;
  const inside = given.replace(/^\/workspace\//, '').replace(/^(?:\.\/)+/, '');
  const folder = `${event.repository.fullName}/`;
  return inside.toLowerCase().startsWith(folder.toLowerCase()) ? inside.slice(folder.length) : inside;
}

/** The changed file of a path, by its present name only: the old name of a renamed file has no lines of its own. */
export function findChanged(diff: Diff, event: Event, path: string): DiffFile | null {
  const named = { ...diff, files: diff.files.map(({ previous: _, ...file }) => file) };
  const at = place(named, { path: diffPath(diff, event, path) });
  return at.rung === 'body' ? null : (diff.files.find((file) => file.path === at.path) ?? null);
}

/** As `findChanged`, but throws `ToolError` that names files which did change. */
export function needChanged(diff: Diff, event: Event, path: string): DiffFile {
  const found = findChanged(diff, event, path);
  if (found) return found;
  const renamed = diff.files.find((file) => file.previous === diffPath(diff, event, path));
  if (renamed) throw new ToolError(`${path} is now called ${renamed.path}: ask for that.`);
  const names = diff.files.map((file) => file.path);
  const some = names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ') || 'none';
  throw new ToolError(`${path} is not changed by this pull request. Changed files: ${some}.`);
}
