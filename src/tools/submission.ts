import { z } from 'zod';
import type { ToolAnswer } from '../agent/tool.ts';
import { ToolError } from '../journal/errors.ts';
import type { Finding } from '../journal/finding.ts';
import { withheldIn } from '../journal/withheld.ts';
import type { Scratchpads, ToolContext } from './context.ts';
import { answerJson, publishEffect } from './publishing.ts';
import { RESERVED_PADS } from './scratchpad.ts';

/** What a run's `submit_review` posted: by which call, which findings it held, and what GitHub answered. */
const Submission = z.object({ key: z.string(), event: z.string(), findings: z.array(z.string()), result: z.unknown() });
type Submission = z.infer<typeof Submission>;

const PAD = `${RESERVED_PADS}submission`;

/**
 * Posts the run's review, once: a second call is told what was submitted before. Findings that were recorded after that go into a further review, so
 * that nothing is lost. A run that is not trusted gives no verdict: what it says is posted as a comment.
 */
export async function submitReview(
  context: ToolContext,
  review: { event: 'APPROVE' | 'COMMENT' | 'REQUEST_CHANGES'; body: string },
): Promise<ToolAnswer> {
  const findings = await context.drafts.list(context.run);
  const before = await readSubmission(context.pads);
  if (before && before.key !== context.key && newOnes(findings, before).length === 0) {
    return answerJson({ alreadySubmitted: before.event, findings: before.findings.length, result: before.result });
  }
  const withheld = withheldIn(findings, context.rules);
  if (review.body.trim() === '' && review.event !== 'APPROVE' && findings.length === 0) {
    throw new ToolError('There are no findings and body is empty: write what the review says.');
  }
  const body = context.partial ? `**Partial review.** ${context.partial}.\n\n${review.body}` : review.body;
  const event = context.trust === 'trusted' ? review.event : 'COMMENT';
  const result = await publishEffect(context, { type: 'review.submit', event, body });
  const ids = findings.map(({ id }) => id);
  const submission: Submission = {
    key: context.key,
    event,
    findings: [...new Set([...(before?.findings ?? []), ...ids])],
    result,
  };
  await context.pads.write(PAD, JSON.stringify(submission), context.key);
  const left = findings.filter(({ posted }) => !posted).length - withheld.length;
  return answerJson({ submitted: event, findings: left, ...(withheld.length > 0 ? { withheld: withheld.length } : {}), result });
}

function newOnes(findings: Finding[], before: Submission): Finding[] {
  return findings.filter(({ id, posted }) => !posted && !before.findings.includes(id));
}

/** Whether a run has submitted a review. */
export async function hasSubmitted(pads: Pick<Scratchpads, 'read'>): Promise<boolean> {
  return (await pads.read(PAD)) !== null;
}

/** What this run has submitted so far, or null. */
async function readSubmission(pads: Scratchpads): Promise<Submission | null> {
  const text = await pads.read(PAD);
  return text === null ? null : Submission.parse(JSON.parse(text));
}
