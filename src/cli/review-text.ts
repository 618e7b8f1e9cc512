import type { ReviewComment } from '../demo/github/state.ts';
import type { Posted } from './watch.ts';

const HUNK_LINES = 4;
const HUNK_WIDTH = 160;

/** A review as a person would read it: each thread with its place, a few lines of the change and its text, then the summary. */
export function writeReview({ reviews, threads, checks }: Posted): string {
  const parts = threads.map((thread) => `${placeOf(thread)}\n${hunkOf(thread)}\n${indent(visible(thread.body), '  ')}`);
  const summaries = reviews.map(({ state, body }) => `Review: ${state}\n\n${indent(visible(body), '  ')}`);
  const ends = checks.map(({ name, conclusion, output }) =>
    `Check "${name}": ${conclusion ?? 'not finished'}. ${output.title ?? ''}`.trim(),
  );
  return `${[...parts, ...summaries, ends.join('\n')].filter(Boolean).join('\n\n')}\n`;
}

/** The same as plain data. */
export function reviewData({ reviews, threads, checks, comments }: Posted): object {
  return {
    reviews: reviews.map(({ state, body, commit }) => ({ state, body: visible(body), commit })),
    threads: threads.map(({ place, body }) => ({
      path: place.path,
      side: place.side,
      line: place.line,
      startLine: place.startLine,
      subject: place.subject,
      body: visible(body),
    })),
    comments: comments.map(({ body }) => visible(body)),
    checks: checks.map(({ name, status, conclusion, output }) => ({
      name,
      status,
      conclusion,
      title: output.title,
      summary: output.summary,
    })),
  };
}

/** `path:line (LEFT)`; the side is told only where it is the old one. */
export function placeOf({ place }: ReviewComment): string {
  if (place.subject === 'file' || place.line === null) return `${place.path} (the whole file)`;
  const lines = place.startLine === null ? String(place.line) : `${place.startLine}-${place.line}`;
  return `${place.path}:${lines}${place.side === 'LEFT' ? ' (deleted line)' : ''}`;
}

function hunkOf({ place }: ReviewComment): string {
  const rows = place.hunk.split('\n').filter((row) => !row.startsWith('@@'));
  return place.subject === 'file'
    ? ''
    : rows
        .slice(-HUNK_LINES)
        .map((row) => `  | ${row.slice(0, HUNK_WIDTH)}`)
        .join('\n');
}

/** What a reader looks at: markers in HTML comments and small print are for programs. */
function visible(text: string): string {
  return text.replace(/<!--[\s\S]*?-->|<sub>.*<\/sub>/g, '').trim();
}

function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}
