import { readDiff } from '../../git/diff.ts';
import { findLine, followLine, type Hunk, parsePatch } from '../../git/patch.ts';
import type { Scene } from '../route.ts';
import type { CommentPlace, PullItem } from '../state.ts';
import { keepDiff, readPullDiff } from './pull-event.ts';

/** Where lines of one commit are in another one. */
type Follower = (path: string, line: number) => { path: string; line: number } | null;

/** Lets every thread of a pull request follow its line to the new head, or become outdated where the line changed or left the diff. */
export async function moveThreads(scene: Scene, item: PullItem): Promise<void> {
  const places = new Set(
    [...scene.repo.reviewComments.values()].filter((comment) => comment.number === item.number).map((comment) => comment.place),
  );
  const live = [...places].filter((place) => place.subject === 'line' && place.line !== null);
  if (live.length === 0) return;
  const diff = await readPullDiff(scene, item);
  const hunks = new Map(diff.files.map((file) => [file.path, parsePatch(file.patch)]));
  for (const place of live) {
    const right = place.side === 'RIGHT';
    const follow = await followerOf(scene, { from: right ? place.commit : place.base, to: right ? item.pull.headSha : diff.from });
    movePlace(place, { follow, hunks, head: item.pull.headSha, base: diff.from });
  }
}

function movePlace(place: CommentPlace, to: { follow: Follower; hunks: Map<string, Hunk[]>; head: string; base: string }): void {
  const end = place.line === null ? null : to.follow(place.path, place.line);
  const shown = end && findLine(to.hunks.get(end.path) ?? [], place.side, end.line);
  if (!end || !shown) {
    Object.assign(place, { line: null, startLine: null, position: null });
    return;
  }
  const start = place.startLine === null ? null : to.follow(place.path, place.startLine);
  Object.assign(place, {
    path: end.path,
    line: end.line,
    startLine: start?.line ?? null,
    position: shown.line.position,
    commit: to.head,
    base: to.base,
  });
}

async function followerOf(scene: Scene, range: { from: string; to: string }): Promise<Follower> {
  if (range.from === range.to) return (path, line) => ({ path, line });
  const { files } = await keepDiff(scene, `${range.from} ${range.to} 0`, () => readDiff(scene.repo.bare, { ...range, context: 0 }));
  return (path, line) => {
    const file = files.find((one) => (one.oldPath ?? one.path) === path && one.status !== 'added');
    if (!file) return { path, line };
    const moved = file.status === 'removed' ? null : followLine(parsePatch(file.patch), line);
    return moved === null ? null : { path: file.path, line: moved };
  };
}
