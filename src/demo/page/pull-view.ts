import type { BareRepository, CommitRecord } from '../git/bare.ts';
import { type Diff, mergeBase, readDiff } from '../git/diff.ts';
import type { GitHub } from '../github/github.ts';
import type { CheckRun, Comment, PullItem, Repository, Review, ReviewComment } from '../github/state.ts';
import { isPull } from '../github/state.ts';

/** A conversation on the diff, as everybody sees it. */
export interface ThreadView {
  id: number;
  root: ReviewComment;
  comments: ReviewComment[];
  resolvedBy: string | null;
}

/** One entry of a pull request's timeline. A review comes with the threads that it began. */
export type Entry = { at: number } & (
  | { kind: 'commit'; commit: CommitRecord }
  | { kind: 'comment'; comment: Comment }
  | { kind: 'review'; review: Review; threads: ThreadView[] }
);

/** Everything that stands on a pull request and is visible to all; what is pending is left out. Check runs are newest commit first. */
export interface PullView {
  repo: Repository;
  item: PullItem;
  diff: Diff;
  entries: Entry[];
  threads: ThreadView[];
  commits: CommitRecord[];
  checks: CheckRun[];
}

const KEPT_DIFFS = 20;

/** Reads pull requests for people to look at. Diffs are read once for each head. */
export class PullReader {
  readonly #github: GitHub;
  readonly #diffs = new Map<string, Promise<Diff>>();

  constructor(github: GitHub) {
    this.#github = github;
  }

  /** The pull request, or null where there is none of this number. */
  async read(repo: Repository, number: number): Promise<PullView | null> {
    const item = repo.items.get(number);
    if (!item || !isPull(item)) return null;
    const { bare } = repo;
    const { baseSha, headSha } = item.pull;
    const [diff, ids] = await Promise.all([
      this.#diff(bare, { base: baseSha, head: headSha }),
      bare.ids(['--reverse', `${baseSha}..${headSha}`]),
    ]);
    const commits = await bare.commits(ids);
    const threads = this.#threads(repo, number);
    const order = [...item.pull.heads].reverse();
    const checks = order.flatMap((sha) => this.#github.checks(repo, sha).reverse());
    return { repo, item, diff, commits, threads, checks, entries: this.#entries({ repo, item, commits, threads }) };
  }

  #diff(bare: BareRepository, range: { base: string; head: string }): Promise<Diff> {
    const key = `${bare.dir} ${range.base} ${range.head}`;
    const known = this.#diffs.get(key);
    if (known) return known;
    const work = mergeBase(bare, range.base, range.head).then((from) => readDiff(bare, { from: from ?? range.base, to: range.head }));
    this.#diffs.set(key, work);
    work.catch(() => this.#diffs.delete(key));
    const [oldest] = this.#diffs.keys();
    if (this.#diffs.size > KEPT_DIFFS && oldest !== undefined) this.#diffs.delete(oldest);
    return work;
  }

  #threads(repo: Repository, number: number): ThreadView[] {
    const visible = this.#github.reviewComments(repo, number).filter((comment) => !comment.pending);
    return this.#github.threads(repo, number).flatMap((thread) => {
      const comments = visible.filter((comment) => comment.threadId === thread.id);
      const root = comments.find((comment) => comment.id === thread.rootId) ?? comments[0];
      return root ? [{ id: thread.id, root, comments, resolvedBy: thread.resolvedBy?.login ?? null }] : [];
    });
  }

  #entries({ repo, item, commits, threads }: Pick<PullView, 'repo' | 'item' | 'commits' | 'threads'>): Entry[] {
    const comments = this.#github
      .comments(repo, item.number)
      .map((comment) => ({ kind: 'comment' as const, at: comment.createdAt, comment }));
    const reviews = this.#github.reviews(repo, item.number).flatMap((review) => {
      const own = threads.filter(({ root }) => root.reviewId === review.id).sort(byPlace);
      const shown = review.state !== 'PENDING' && (!review.implicit || own.length > 0);
      return shown ? [{ kind: 'review' as const, at: review.submittedAt ?? review.createdAt, review, threads: own }] : [];
    });
    const pushed = commits.map((commit) => ({ kind: 'commit' as const, at: Date.parse(commit.committer.date), commit }));
    return [...pushed, ...comments, ...reviews].sort((a, b) => a.at - b.at);
  }
}

function byPlace({ root: a }: ThreadView, { root: b }: ThreadView): number {
  return a.place.path.localeCompare(b.place.path) || (a.place.originalLine ?? 0) - (b.place.originalLine ?? 0);
}
