import type { Finding } from '../journal/finding.ts';
import type { Withheld } from '../journal/withheld.ts';
import { cleanCode, cleanText, openFence } from './clean.ts';
import type { Placing } from './ladder.ts';
import { hiddenMarker, sign } from './markers.ts';

/** A finding at the place where it is posted. */
export interface Remark {
  finding: Finding;
  placing: Placing;
}

/** Characters of a review's summary in one review, and of a whole body; GitHub takes 65 536. */
const SUMMARY_LIMIT = 56_000;
const WHOLE_LIMIT = 62_000;
const SUGGESTION_LIMIT = 20_000;
const HEADING = '### Remarks without a line in the diff';

/** The sentence that a review says about findings that settings leave out; empty where there are none. */
export function tellWithheld(withheld: readonly Withheld[]): string {
  if (withheld.length === 0) return '';
  return `_Not posted, because the settings say so: ${withheld.length === 1 ? 'one finding' : `${withheld.length} findings`}. The check run lists them._`;
}

/** Cleans a summary and cuts it into parts that fit a review each; fences are closed and opened again. There is one part at least. */
export function splitSummary(text: string): string[] {
  const parts: string[] = [];
  let rest = cleanText(text, { limit: Number.POSITIVE_INFINITY }).trim();
  while (rest.length > SUMMARY_LIMIT) {
    const end = rest.lastIndexOf('\n', SUMMARY_LIMIT);
    const at = end > SUMMARY_LIMIT / 2 ? end + 1 : SUMMARY_LIMIT - Number(/[\uD800-\uDBFF]/.test(rest.charAt(SUMMARY_LIMIT - 1)));
    const fence = openFence(rest.slice(0, at));
    parts.push(`${rest.slice(0, at).trimEnd()}${fence && `\n${fence}`}`);
    rest = `${fence && `${fence}\n`}${rest.slice(at)}`;
  }
  return [...parts, rest];
}

/** The body of one review: its part of the summary, then remarks without a line, as many as fit. `left` are those that do not. */
export function composeBody(review: { key: string; index: number; summary: string; remarks: Remark[]; threads: number }): {
  body: string;
  told: Remark[];
  left: Remark[];
} {
  const { key, index, summary, remarks, threads } = review;
  const empty = threads + remarks.length === 0 ? 'Reviewed: no findings.' : '';
  let text = summary || (index > 0 ? `The review, continued (part ${index + 1}).` : empty);
  const told: Remark[] = [];
  for (const remark of remarks) {
    const heading = told.length === 0 ? `${HEADING}\n\n` : '';
    const longer = `${text}\n\n${heading}${composeSection(remark)}`;
    if (told.length > 0 && longer.length > WHOLE_LIMIT) break;
    if (longer.length > WHOLE_LIMIT && summary.length > 0) break;
    text = longer;
    told.push(remark);
  }
  return { body: sign(text.trim(), key), told, left: remarks.slice(told.length) };
}

/** The body of a comment on a line or on a file: the finding, what it suggests, where it was meant to stand, and its id as the marker. */
export function composeComment({ finding, placing }: Remark): string {
  return [composeText(finding, placing), hiddenMarker(finding.id)].join('\n\n');
}

/** Whether a review's body tells a finding, by its marker or, where GitHub took that out, by its words. */
export function tells(body: string | null | undefined, finding: Finding): boolean {
  if (!body) return false;
  if (body.includes(hiddenMarker(finding.id))) return true;
  const words = cleanText(finding.body).trim().slice(0, 200);
  return words !== '' && body.includes(`${headingOf(finding)}\n\n${words}`);
}

function composeSection({ finding, placing }: Remark): string {
  return `${headingOf(finding)}\n\n${composeText(finding, { ...placing, rung: 'body' })}\n${hiddenMarker(finding.id)}`;
}

function headingOf(finding: Finding): string {
  const path = cleanCode(finding.path).replace(/[`\n]/g, "'").slice(0, 300);
  return `#### \`${path}\`${finding.line === undefined ? '' : `, line ${finding.line}`}`;
}

function composeText(finding: Finding, placing: Placing): string {
  const { suggestion, line, side } = finding;
  const parts = [cleanText(finding.body, { limit: 40_000 }).trim()];
  if (suggestion !== undefined) parts.push(composeSuggestion(suggestion, placing));
  if (placing.rung === 'file' && line !== undefined)
    parts.push(`_Meant for line ${line}${side === 'LEFT' ? ' of the old file' : ''}, which is not in the diff._`);
  return parts.filter(Boolean).join('\n\n');
}

/** GitHub can apply a suggestion only where it replaces exactly the lines it was written for. */
function composeSuggestion(suggestion: string, { rung, side }: Placing): string {
  const code = cleanCode(suggestion).replace(/\n$/, '');
  if (code.length > SUGGESTION_LIMIT) return '_The suggested change is too long to be shown._';
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const applicable = rung === 'line' && side === 'RIGHT';
  return `${applicable ? '' : 'Suggested:\n\n'}${fence}${applicable ? 'suggestion' : ''}\n${code === '' && applicable ? '' : `${code}\n`}${fence}`;
}
