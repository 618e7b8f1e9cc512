import { type Diff, mergeBase, readDiff } from '../../git/diff.ts';
import { commitTree, mergeTrees } from '../../git/merge.ts';
import type { Scene } from '../route.ts';
import type { Json } from '../shape/account.ts';
import { issueJson } from '../shape/item.ts';
import { type PullFigures, pullJson } from '../shape/pull.ts';
import { type Item, isPull, type PullItem } from '../state.ts';
import { noteHistory, sendEvent } from './event.ts';

/** Diffs kept in memory; the oldest goes first. */
const KEPT_DIFFS = 100;

/** What a pull request changes at a commit (default its head): from the merge base, three lines of context, renames found. */
export async function readPullDiff(scene: Scene, item: PullItem, head = item.pull.headSha): Promise<Diff> {
  return readRangeDiff(scene, { base: item.pull.baseSha, head });
}

/** The diff from the merge base of two commits to the second. */
export function readRangeDiff(scene: Scene, range: { base: string; head: string }): Promise<Diff> {
  const { bare } = scene.repo;
  return keepDiff(scene, `${range.base} ${range.head}`, async () => {
    const from = await mergeBase(bare, range.base, range.head);
    return readDiff(bare, { from: from ?? range.base, to: range.head });
  });
}

/** Reads a diff once and keeps it in memory under a key; a failure is not kept. */
export function keepDiff(scene: Scene, key: string, read: () => Promise<Diff>): Promise<Diff> {
  const { diffs } = scene.world;
  const name = `${scene.repo.id} ${key}`;
  const known = diffs.get(name);
  if (known) return known;
  const work = read();
  diffs.set(name, work);
  work.catch(() => diffs.delete(name));
  const [oldest] = diffs.keys();
  if (diffs.size > KEPT_DIFFS && oldest !== undefined) diffs.delete(oldest);
  return work;
}

/** Tries the merge, keeps it as refs/pull/N/merge, and says whether it went; null for a closed pull request. */
export async function tryMerge(scene: Scene, item: PullItem): Promise<boolean | null> {
  const { pull } = item;
  const { bare } = scene.repo;
  if (item.state === 'closed') return null;
  const base = await bare.commitOf(`refs/heads/${pull.baseRef}`);
  if (!base) return null;
  if (pull.trial?.base !== base || pull.trial.head !== pull.headSha) {
    const head = pull.headSha;
    const tree = await mergeTrees(bare, base, head);
    const author = { name: 'GitHub', email: 'noreply@users.noreply.invalid' };
    const commit = tree && (await commitTree(bare, { tree, parents: [base, head], message: `Merge ${head} into ${base}`, author }));
    if (commit) await bare.setRef(`refs/pull/${item.number}/merge`, commit);
    pull.trial = { base, head, commit };
    if (pull.mergedAt === null) pull.mergeCommit = commit;
  }
  return pull.trial.commit !== null;
}

/** Counts of a pull request; `mergeable` is worked out only when asked for. */
export async function readFigures(scene: Scene, item: PullItem, withMerge = false): Promise<PullFigures> {
  const range = [`${item.pull.baseSha}..${item.pull.headSha}`];
  const [diff, commits] = await Promise.all([readPullDiff(scene, item), scene.repo.bare.count(range)]);
  return { diff, commits, mergeable: withMerge ? await tryMerge(scene, item) : null };
}

/** A pull request as GET answers it. */
export async function readPullJson(scene: Scene, item: PullItem): Promise<Json> {
  return pullJson(scene.world, scene.repo, { item, figures: await readFigures(scene, item, true) });
}

/** Sends what happened to an item: `pull_request` with figures for one, `issues` for the other. */
export async function sendItemEvent(scene: Scene, item: Item, change: { action: string; extra?: Json }): Promise<void> {
  noteHistory(scene, item, change.action);
  const { world, repo } = scene;
  const { action, extra = {} } = change;
  if (!isPull(item)) {
    sendEvent(scene, 'issues', { payload: { action, issue: issueJson(world, repo, item), ...extra }, number: item.number });
    return;
  }
  const figures = await readFigures(scene, item);
  const payload = { action, number: item.number, pull_request: pullJson(world, repo, { item, figures }), ...extra };
  sendEvent(scene, 'pull_request', { payload, number: item.number });
}
