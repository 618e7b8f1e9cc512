import type { BareRepository, Signature } from './bare.ts';

/** Merges two commits without a work tree. Resolves with the tree, or null when they conflict. */
export async function mergeTrees(bare: BareRepository, ours: string, theirs: string): Promise<string | null> {
  const out = await bare.text(['merge-tree', '--write-tree', '--no-messages', '--allow-unrelated-histories', ours, theirs], {
    expect: [0, 1],
  });
  const lines = out.split('\n').filter((line) => line !== '');
  return lines.length === 1 ? (lines[0] ?? null) : null;
}

/** A commit of a tree that is there already. Resolves with its id; no ref moves. */
export async function commitTree(
  bare: BareRepository,
  commit: { tree: string; parents: readonly string[]; message: string; author: Signature },
): Promise<string> {
  const { name, email } = commit.author;
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  return (await bare.text(['commit-tree', commit.tree, ...parents, '-F', '-'], { env, input: commit.message })).trim();
}
