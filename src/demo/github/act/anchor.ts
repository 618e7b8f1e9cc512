import type { Diff } from '../../git/diff.ts';
import { findLine, findPosition, hunkUntil, type Place, parsePatch, type Side } from '../../git/patch.ts';
import type { CommentPlace } from '../state.ts';

/** Where somebody wants a thread. `position` is the older way of counting; `onFile` attaches it to the whole file. */
export interface Target {
  path: string;
  line?: number;
  side?: string;
  startLine?: number;
  startSide?: string;
  position?: number;
  onFile?: boolean;
}

/** Why a place cannot be had. */
export type AnchorProblem = 'path' | 'line' | 'position' | 'side' | 'start-line' | 'start-hunk' | 'start-order';

/** What GitHub says about each in a review. */
export const SENTENCES: Record<AnchorProblem, string> = {
  path: 'Path could not be resolved',
  line: 'Pull request review thread line must be part of the diff',
  position: 'Position could not be resolved',
  side: 'Pull request review thread side is not included in the list',
  'start-line': 'Pull request review thread start line must be part of the diff',
  'start-hunk': 'Pull request review thread start line must be part of the same hunk as the line.',
  'start-order': 'Pull request review thread start line must precede the end line.',
};

/** A place in the diff of a commit, or what is wrong with it. */
export function findAnchor(diff: Diff, target: Target): { place: CommentPlace } | { problem: AnchorProblem } {
  const file = diff.files.find((one) => one.path === target.path);
  if (!file) return { problem: 'path' };
  const side = target.side ?? 'RIGHT';
  if (!isSide(side)) return { problem: 'side' };
  if (target.onFile) return { place: makePlace(diff, target.path, { subject: 'file', side }) };
  const hunks = parsePatch(file.patch);
  if (target.line === undefined && target.position !== undefined)
    return findOldAnchor(diff, target.path, findPosition(hunks, target.position));
  const end = target.line === undefined ? null : findLine(hunks, side, target.line);
  if (!end) return { problem: 'line' };
  if (target.startLine === undefined) return { place: placeAt(diff, target.path, { side, end }) };
  const startSide = target.startSide ?? side;
  if (!isSide(startSide)) return { problem: 'side' };
  const start = findLine(hunks, startSide, target.startLine);
  if (!start) return { problem: 'start-line' };
  if (start.hunk !== end.hunk) return { problem: 'start-hunk' };
  if (start.line.position >= end.line.position) return { problem: 'start-order' };
  return {
    place: { ...placeAt(diff, target.path, { side, end }), startSide, startLine: target.startLine, originalStartLine: target.startLine },
  };
}

/** A place that GraphQL accepts although its line is not in the diff: the thread is there until the review is submitted, then it is gone. */
export function lostPlace(diff: Diff, path: string): CommentPlace {
  return { ...makePlace(diff, path, { subject: 'line', side: 'RIGHT' }), lost: true };
}

function findOldAnchor(diff: Diff, path: string, found: Place | null): { place: CommentPlace } | { problem: AnchorProblem } {
  if (!found) return { problem: 'position' };
  return { place: placeAt(diff, path, { side: found.line.kind === '-' ? 'LEFT' : 'RIGHT', end: found }) };
}

function placeAt(diff: Diff, path: string, at: { side: Side; end: Place }): CommentPlace {
  const { line } = at.end;
  const number = at.side === 'LEFT' ? line.old : line.new;
  return {
    ...makePlace(diff, path, { subject: 'line', side: at.side }),
    line: number,
    originalLine: number,
    position: line.position,
    originalPosition: line.position,
    hunk: hunkUntil(at.end),
  };
}

function makePlace(diff: Diff, path: string, kind: Pick<CommentPlace, 'subject' | 'side'>): CommentPlace {
  return {
    ...kind,
    path,
    line: null,
    originalLine: null,
    startSide: null,
    startLine: null,
    originalStartLine: null,
    position: null,
    originalPosition: null,
    hunk: '',
    commit: diff.to,
    originalCommit: diff.to,
    base: diff.from,
    lost: false,
  };
}

function isSide(text: string): text is Side {
  return text === 'LEFT' || text === 'RIGHT';
}
