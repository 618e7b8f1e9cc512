import type { Blob, Blobs, Changes, Tree } from '../journal/tree.ts';
import { foldersAbove } from './path.ts';

/** What one delegation changed; `id` names it in conflicts. */
export interface Part {
  id: string;
  changes: Changes;
}

/** What a merge came to. */
export interface Merged {
  changes: Changes;
  /** Paths of which only the first version was kept, with all that changed them. */
  conflicts: { path: string; ids: string[] }[];
}

/** What is merged. */
export interface MergeInput {
  /** The workspace as it was when the delegations were queued. */
  base: Tree;
  /** In the order of the calls. */
  parts: Part[];
  blobs: Blobs;
  /** Content that a path had in the base; null where it was not there. */
  readBase(path: string): Promise<Buffer | null>;
}

/**
 * Puts together what delegations of one turn changed, each from the same base, in the order of their calls. The same change twice is one; what several
 * only appended to a file is joined in order, also where they appended the same; a path changed differently is a conflict, where the first wins. Answers changes to lay over the base.
 */
export async function mergeChanges(input: MergeInput): Promise<Merged> {
  const changes: Changes = {};
  const conflicts: Merged['conflicts'] = [];
  for (const path of new Set(input.parts.flatMap((part) => Object.keys(part.changes)))) {
    const versions = input.parts.flatMap((part) => (part.changes[path] === undefined ? [] : [{ id: part.id, blob: part.changes[path] }]));
    const merged = await mergePath(input, path, versions);
    changes[path] = merged.blob;
    if (merged.conflict) conflicts.push({ path, ids: versions.map(({ id }) => id) });
  }
  return dropShadowed(input.parts, { changes, conflicts });
}

/** Lays changes over a tree. */
export function applyChanges(tree: Tree, changes: Changes): Tree {
  return { checkouts: tree.checkouts, changes: { ...tree.changes, ...changes } };
}

interface Version {
  id: string;
  blob: Blob | null;
}

async function mergePath(input: MergeInput, path: string, versions: Version[]): Promise<{ blob: Blob | null; conflict: boolean }> {
  const [first, ...others] = versions;
  if (!first || others.length === 0) return { blob: first?.blob ?? null, conflict: false };
  const base = await input.readBase(path);
  let tail = await tailOf(input, first.blob, base);
  let conflict = others.some(({ blob }) => blob?.mode !== first.blob?.mode);
  if (!first.blob || tail === null)
    return { blob: first.blob, conflict: conflict || others.some(({ blob }) => blob?.digest !== first.blob?.digest) };
  for (const { blob } of others) {
    const next = await tailOf(input, blob, base);
    if (next === null) conflict = true;
    else tail = joinTails(tail, next);
  }
  const content = Buffer.concat([base ?? Buffer.alloc(0), tail]);
  const digest = await input.blobs.put(content);
  return { blob: { ...first.blob, digest, size: content.length }, conflict };
}

/** What was appended to the base; null where something else was done to it. */
async function tailOf(input: MergeInput, blob: Blob | null, base: Buffer | null): Promise<Buffer | null> {
  if (!blob || (!base && !blob.appended)) return null;
  const content = await input.blobs.get(blob.digest);
  if (!base) return content;
  return content.length >= base.length && content.subarray(0, base.length).equals(base) ? content.subarray(base.length) : null;
}

/** Records are lines: where one does not end with a line break the next would run into it. */
function joinTails(a: Buffer, b: Buffer): Buffer {
  const needsBreak = a.length > 0 && b.length > 0 && a.at(-1) !== 10 && b[0] !== 10;
  return Buffer.concat([a, Buffer.from(needsBreak ? '\n' : ''), b]);
}

/** One wrote a file where another wrote files below it: the first in the order of the calls wins. */
function dropShadowed(parts: Part[], merged: Merged): Merged {
  const order = (path: string) => parts.findIndex((part) => part.changes[path]);
  const idsOf = (path: string) => parts.filter((part) => part.changes[path]).map(({ id }) => id);
  const written = Object.keys(merged.changes).filter((path) => merged.changes[path]);
  const files = new Set(written);
  for (const path of written) {
    const above = foldersAbove(path).find((folder) => files.has(folder));
    if (above === undefined) continue;
    const loser = order(above) <= order(path) ? path : above;
    delete merged.changes[loser];
    files.delete(loser);
    merged.conflicts.push({ path: loser, ids: [...new Set([...idsOf(above), ...idsOf(path)])] });
  }
  return merged;
}
