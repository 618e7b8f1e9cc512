import { posix } from 'node:path';
import { ToolError } from '../journal/errors.ts';

/** Where agents see the root of their workspace. */
export const ROOT = '/workspace';

/**
 * A path as an agent wrote it, made relative to the workspace's root (`''` is the root). Relative paths and `/workspace/...` are equal. Throws
 * `ToolError` for anything outside, and for git's own directory. Looks at the text only: whether something is there is another question.
 */
export function normalisePath(path: string): string {
  const asked = path.trim() === '' ? '.' : path;
  if (asked.includes('\0')) throw new ToolError('A path cannot hold a NUL character: use a path such as `owner/repo/src/a.ts`.');
  const inside = asked === ROOT || asked.startsWith(`${ROOT}/`) ? asked.slice(ROOT.length + 1) || '.' : asked;
  if (inside.startsWith('/') || /^[A-Za-z]:[\\/]/.test(inside) || inside.startsWith('~/')) {
    throw new ToolError(
      `${show(path)} lies outside the workspace: use a path relative to ${ROOT}, such as ${show(inside.replace(/^(?:[A-Za-z]:)?[\\/~]+/, '') || '.')}.`,
    );
  }
  const normal = posix.normalize(inside).replace(/\/+$/, '');
  if (normal === '..' || normal.startsWith('../')) {
    throw new ToolError(`${show(path)} leaves the workspace: ${ROOT} is its top, and "." lists it.`);
  }
  const plain = normal === '.' ? '' : normal;
  if (plain.split('/').some((part) => part.toLowerCase() === '.git')) {
    throw new ToolError(
      `${show(path)} is git's own directory, which is not part of the workspace: run git by the terminal tool, or read the diff by its tool.`,
    );
  }
  if (plain.split('/').some((part) => Buffer.byteLength(part) > 255))
    throw new ToolError('A name in the path is over 255 bytes: use a shorter one.');
  return plain;
}

/** A path between quotes, cut where it is very long, for messages. */
export function show(path: string): string {
  return JSON.stringify(path.length > 300 ? `${path.slice(0, 300)}...` : path);
}

/** The folder of a path; `''` at the root. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Puts a path below a folder; either may be `''`. */
export function joinPath(folder: string, path: string): string {
  return folder && path ? `${folder}/${path}` : folder || path;
}

/** Whether a path lies in a folder or is it; everything lies in `''`. */
export function isWithin(folder: string, path: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** The folders that a path lies in, outermost first, without the root. */
export function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
}
