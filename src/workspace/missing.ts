import { ToolError } from '../journal/errors.ts';
import type { Layers } from './layers.ts';
import { nearestNames } from './nearest.ts';
import { folderOf, isWithin, joinPath, show } from './path.ts';

/** A path with nothing at it, and where relative paths are looked for. */
export interface Missing {
  path: string;
  startIn: string;
  note?: string;
}

/** The error for a path where nothing is: the same path in a checkout, else the nearest names in the deepest folder that is there. */
export async function explainMissing(layers: Layers, { path, startIn, note = '' }: Missing): Promise<ToolError> {
  const atRoot = isWithin(startIn, path) || (await layers.stat(path.split('/')[0] ?? ''));
  const looked = atRoot ? path : joinPath(startIn, path);
  const elsewhere = layers.checkoutOf(looked) ? [] : await findInCheckouts(layers, path);
  const hint = elsewhere.length > 0 ? `Did you mean ${elsewhere.join(' or ')}?` : await nameNearest(layers, looked);
  const sparse = layers.checkoutOf(looked)?.sparse ?? [];
  const limits = sparse.length > 0 ? `Of this repository only these folders are checked out: ${sparse.slice(0, 20).join(', ')}.` : '';
  return new ToolError([`${show(path)} does not exist.`, note, hint, limits].filter(Boolean).join(' '));
}

async function findInCheckouts(layers: Layers, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const { repository } of layers.checkouts) {
    const inside = joinPath(repository.fullName, path);
    if (await layers.stat(inside)) found.push(show(inside));
  }
  return found;
}

async function nameNearest(layers: Layers, path: string): Promise<string> {
  let folder = folderOf(path);
  while (folder && (await layers.stat(folder))?.kind !== 'directory') folder = folderOf(folder);
  const wanted = path.slice(folder ? folder.length + 1 : 0).split('/')[0] ?? '';
  const names = (await layers.list(folder)).map(({ name }) => name);
  const near = nearestNames(wanted, names).map((name) => show(joinPath(folder, name)));
  return near.length > 0 ? `Nearest in ${show(folder || '.')}: ${near.join(', ')}.` : `List ${show(folder || '.')} to see what is there.`;
}
