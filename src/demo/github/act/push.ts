import type { CommitRecord } from '../../git/bare.ts';
import type { Scene } from '../route.ts';
import { isPull, type PullItem, type Repository } from '../state.ts';
import { requestSuite } from './check.ts';
import { sendEvent } from './event.ts';
import { closeItem } from './item.ts';
import { markMerged, synchronizePull } from './pull.ts';

const NOTHING = '0'.repeat(40);
const HEADS = 'refs/heads/';

/** Commits that a push event lists at most. */
const LISTED_COMMITS = 20;

/** A branch that moved; NOTHING for before it was made and after it was deleted. */
interface Move {
  ref: string;
  before: string;
  after: string;
}

/** Sees which branches moved since the last time and does what GitHub does then: `push`, pull requests synchronized, merged or closed. One at a time for a repository. */
export function settleHeads(scene: Scene): Promise<void> {
  const { repo } = scene;
  const work = repo.settling.catch(() => undefined).then(() => settle(scene));
  repo.settling = work;
  return work;
}

async function settle(scene: Scene): Promise<void> {
  const { repo } = scene;
  const heads = await repo.bare.heads();
  const before = repo.heads;
  repo.heads = heads;
  for (const ref of new Set([...before.keys(), ...heads.keys()])) {
    const move = { ref, before: before.get(ref) ?? NOTHING, after: heads.get(ref) ?? NOTHING };
    if (move.before === move.after) continue;
    repo.pushedAt = Date.now();
    repo.contributors.add(scene.by);
    await sendPush(scene, move);
    await settleOwnPulls(scene, move);
    await settleHeadedPulls(scene, move);
    if (move.after !== NOTHING) requestSuite(scene, { sha: move.after, branch: ref.slice(HEADS.length) });
  }
}

async function sendPush(scene: Scene, move: Move): Promise<void> {
  const { world, repo, by } = scene;
  const [created, deleted] = [move.before === NOTHING, move.after === NOTHING];
  const commits = deleted ? [] : await readPushed(repo, move);
  const head = commits.at(-1) ?? (deleted ? null : await briefCommit(repo, await repo.bare.commit(move.after)));
  const base = `${world.url}/${repo.fullName}`;
  const payload = {
    ref: move.ref,
    before: move.before,
    after: move.after,
    base_ref: null,
    created,
    deleted,
    forced: !created && !deleted && !(await repo.bare.isAncestor(move.before, move.after)),
    compare: `${base}/compare/${move.before.slice(0, 12)}...${move.after.slice(0, 12)}`,
    commits: commits.map((commit) => ({ ...commit, url: `${base}/commit/${commit.id}` })),
    head_commit: head && { ...head, url: `${base}/commit/${head.id}` },
    pusher: { name: by.login, email: `${by.login}@users.noreply.invalid` },
  };
  sendEvent(scene, 'push', { payload });
}

async function readPushed(repo: Repository, move: Move) {
  const without = move.before === NOTHING ? `refs/heads/${repo.defaultBranch}` : move.before;
  const ids = await repo.bare.ids([`--max-count=${LISTED_COMMITS}`, '--reverse', move.after, `^${without}`]).catch(() => []);
  const commits = await repo.bare.commits(ids);
  return Promise.all(commits.map((commit) => briefCommit(repo, commit)));
}

async function briefCommit(repo: Repository, commit: CommitRecord) {
  const out = await repo.bare.text(['diff-tree', '--root', '-r', '--no-renames', '--no-commit-id', '--name-status', '-z', commit.sha]);
  const fields = out.split('\0');
  const paths = (letter: string) => fields.flatMap((field, index) => (index % 2 === 1 && fields[index - 1] === letter ? [field] : []));
  const person = ({ name, email }: { name: string; email: string }) => ({ name, email, username: name });
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    author: person(commit.author),
    committer: person(commit.committer),
    added: paths('A'),
    removed: paths('D'),
    modified: [...paths('M'), ...paths('T')],
  };
}

/** Pull requests from this branch, here or in the repository it was forked from. */
async function settleOwnPulls(scene: Scene, move: Move): Promise<void> {
  const { world, repo } = scene;
  const branch = move.ref.slice(HEADS.length);
  for (const base of world.repositories.values()) {
    for (const item of openPulls(base)) {
      if (item.pull.headRepository !== repo || item.pull.headRef !== branch) continue;
      const there = { ...scene, repo: base };
      if (move.after === NOTHING) await closeItem(there, item);
      else await synchronizePull(there, item, move.after);
    }
  }
}

/** Pull requests into this branch whose commits have come into it by a push. */
async function settleHeadedPulls(scene: Scene, move: Move): Promise<void> {
  if (move.after === NOTHING) return;
  const branch = move.ref.slice(HEADS.length);
  for (const item of openPulls(scene.repo)) {
    if (item.pull.baseRef !== branch) continue;
    if (await scene.repo.bare.isAncestor(item.pull.headSha, move.after)) await markMerged(scene, item, move.after);
  }
}

function openPulls(repo: Repository): PullItem[] {
  return [...repo.items.values()].filter(isPull).filter((item) => item.state === 'open');
}
