import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineTool, type Tool, type ToolAnswer } from '../agent/tool.ts';
import { place } from '../github/ladder.ts';
import type { Side } from '../journal/diff.ts';
import type { Rung } from '../journal/finding.ts';
import { diffPath } from './changed-file.ts';
import type { ToolContext } from './context.ts';
import { answerJson, needBody, publishEffect } from './publishing.ts';
import { submitReview } from './submission.ts';
import { checkOwn } from './target.ts';

/** A line number as models write it: 42, "42", "L42", "42-45". What is none stands for the whole file. */
const Line = z.union([z.number(), z.string()]).optional().catch(undefined);

interface ThreadInput {
  path: string;
  line?: number | string | undefined;
  side?: Side | undefined;
  startLine?: number | string | undefined;
  body: string;
  suggestion?: string | undefined;
}

/** A place as it was understood. */
interface Place {
  path: string;
  side?: Side;
  line?: number;
  startLine?: number;
}

/** Recording findings, answering in threads, and submitting the review. */
export const REVIEW_TOOLS: Tool<ToolContext>[] = [
  defineTool({
    name: 'add_pull_request_review_thread',
    description:
      'Records an inline review comment; submit_review posts it. Without line it stands on the file. Where the place cannot carry it, the next best is taken and told.',
    effect: 'github',
    input: z.looseObject({
      path: z.string().min(1),
      line: Line,
      side: z.enum(['LEFT', 'RIGHT']).optional().catch(undefined),
      startLine: Line,
      body: z.string(),
      suggestion: z.string().optional(),
    }),
    async run(context, { path, line, side, startLine, body, suggestion, ...rest }) {
      checkOwn(context.event, rest, 'pull request');
      return addThread(context, { path, line, side, startLine, body, suggestion });
    },
  }),
  defineTool({
    name: 'add_pull_request_review_thread_reply',
    description: 'Answers in a review thread.',
    effect: 'github',
    input: z.looseObject({ threadId: z.string().min(1), body: z.string() }),
    async run(context, { threadId, body, ...rest }) {
      checkOwn(context.event, rest, 'pull request');
      return answerJson(await publishEffect(context, { type: 'thread.reply', thread: threadId, body: needBody(body) }));
    },
  }),
  defineTool({
    name: 'resolve_pull_request_review_thread',
    description: 'Marks a review thread as resolved.',
    effect: 'github',
    input: z.looseObject({ threadId: z.string().min(1) }),
    async run(context, { threadId, ...rest }) {
      checkOwn(context.event, rest, 'pull request');
      return answerJson(await publishEffect(context, { type: 'thread.resolve', thread: threadId }));
    },
  }),
  defineTool({
    name: 'submit_review',
    description: 'Posts the review with everything recorded; once.',
    effect: 'github',
    input: z.looseObject({ event: z.enum(['APPROVE', 'COMMENT', 'REQUEST_CHANGES']), body: z.string().default('') }),
    async run(context, { event, body, ...rest }) {
      checkOwn(context.event, rest, 'pull request');
      return submitReview(context, { event, body });
    },
  }),
];

async function addThread(context: ToolContext, input: ThreadInput): Promise<ToolAnswer> {
  needBody(input.body);
  const diff = await context.diff();
  const wish: Place = { path: diffPath(diff, context.event, input.path), ...(input.side ? { side: input.side } : {}), ...rangeOf(input) };
  const placing = place(diff, wish);
  const stored = await context.drafts.add(context.run, {
    id: findingId(wish, placing.side, input.body),
    path: placing.path,
    side: placing.side,
    ...(isOnLines(placing) ? linesOf(placing) : linesOf(wish)),
    body: input.body,
    ...(input.suggestion === undefined ? {} : { suggestion: input.suggestion }),
    rung: placing.rung,
    key: context.key,
  });
  const asWished = stored.rung === 'line' || (stored.rung === 'file' && wish.line === undefined);
  return answerJson({
    threadId: stored.id,
    placed: stored.rung,
    path: stored.path,
    ...(isOnLines(stored) ? { side: stored.side, ...linesOf(stored) } : {}),
    ...(asWished || !placing.why ? {} : { why: placing.why }),
    ...(asWished || placing.nearest.length === 0 ? {} : { nearest: placing.nearest }),
  });
}

function isOnLines({ rung }: { rung: Rung }): boolean {
  return rung === 'line' || rung === 'range-cut';
}

/** The lines that a finding keeps: where it stands, or where it was meant to stand, as far as those are line numbers. */
function linesOf({ line, startLine }: { line?: number; startLine?: number }): { line?: number; startLine?: number } {
  const isNumber = (value: number | undefined) => value !== undefined && Number.isSafeInteger(value) && value >= 1;
  return { ...(isNumber(startLine) ? { startLine } : {}), ...(isNumber(line) ? { line } : {}) };
}

/** The line, or range of lines, that a model meant. */
function rangeOf(input: ThreadInput): { line?: number; startLine?: number } {
  const [first, second] = numbersIn(input.line);
  const [start] = numbersIn(input.startLine);
  const end = second ?? first ?? start;
  if (end === undefined) return {};
  const begin = second === undefined ? start : (first ?? start);
  if (begin === undefined || begin === end) return { line: end };
  return { startLine: Math.min(begin, end), line: Math.max(begin, end) };
}

function numbersIn(value: number | string | undefined): number[] {
  if (typeof value === 'number') return [value];
  const [, first, second] = /^\s*[#L]?(-?\d+)(?:\s*(?:-|–|:|\.\.|to)\s*L?(\d+))?\s*$/i.exec(value ?? '') ?? [];
  return [first, second].filter((digits) => digits !== undefined).map(Number);
}

/** The same remark at the same place has the same id, whoever records it and however often. */
function findingId(wish: Place, side: Side, body: string): string {
  const parts = JSON.stringify([wish.path, side, wish.line ?? null, wish.startLine ?? null, body]);
  return `PRRT_pw${createHash('sha256').update(parts).digest('hex').slice(0, 20)}`;
}
