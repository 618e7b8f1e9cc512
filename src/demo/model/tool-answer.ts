import type { Call, Reply, Step } from './call.ts';
import { type Finding, uniqueFindings } from './finding.ts';
import { type PatchFile, parsePatch } from './patch.ts';

const MAX_PAGES = 200;

/** Something that is read by tool calls: either the next calls to make, or what was read. */
export type Reading<T> = { ask: Reply } | { value: T };

/** The whole change, page by page. Two failures in a row leave it at what was read until then. */
export function readDiff(call: Call): Reading<PatchFile[]> {
  const steps = call.done('get_pull_request_diff');
  const pages = steps.filter((step) => step.result !== null && !step.error).map((step) => unwrap(step.result ?? ''));
  const gaveUp = steps.slice(-2).filter((step) => step.error).length === 2;
  const last = pages.at(-1);
  const next = last === undefined ? null : nextPage(last);
  const page = last === undefined ? {} : { page: next };
  const asked = next !== null && steps.some((step) => step.input.page === next && !step.error);
  const finished = gaveUp || pages.length >= MAX_PAGES || asked || (last !== undefined && next === null);
  if (call.offers('get_pull_request_diff') && !finished) return { ask: { tools: [{ name: 'get_pull_request_diff', input: page }] } };
  return { value: parsePatch(pages.map((text) => text.replace(NEXT_PAGE, '').replace(/\n+$/, '\n')).join('')) };
}

/** Findings out of scratchpads, by name: reads each once. */
export function readFindings(call: Call, names: string[]): Reading<Finding[]> {
  const steps = call.done('read_scratchpad');
  const missing = names.filter((name) => !steps.some((step) => step.input.name === name));
  if (missing.length) return { ask: { tools: missing.map((name) => ({ name: 'read_scratchpad', input: { name } })) } };
  const texts = steps.filter((step) => !step.error && names.includes(String(step.input.name))).map((step) => unwrap(step.result ?? ''));
  return { value: uniqueFindings(texts.flatMap(parseFindings)) };
}

/** Whether `get_pull_request_diff_line_numbers` has a line: `none` stands for a file that is not in the change, `unknown` for a list that was cut. */
export function lookUpLine(step: Step | undefined, { side, line }: Pick<Finding, 'side' | 'line'>): 'yes' | 'no' | 'none' | 'unknown' {
  const value = step?.result && !step.error ? parseJson(step.result) : undefined;
  if (!Array.isArray(value)) return 'unknown';
  if (value.length === 0) return 'none';
  const rows = value as { side?: unknown; line?: unknown; endLine?: unknown }[];
  if (line !== null && rows.some((row) => row.side === side && line >= Number(row.line) && line <= Number(row.endLine ?? row.line)))
    return 'yes';
  const cut = rows.length > 1 && rows.some((row) => row.side === 'FILE');
  return cut ? 'unknown' : 'no';
}

/** The id of a thread out of what `add_pull_request_review_thread` answered. */
export function threadIdOf(step: Step): string {
  const id = (parseJson(step.result ?? '') as { threadId?: unknown } | undefined)?.threadId;
  return typeof id === 'string' ? id : (/PRR[TC]_\w+/.exec(step.result ?? '')?.[0] ?? 'unknown');
}

/** Findings as JSON objects, one a line, whatever stands around them. */
export function parseFindings(text: string): Finding[] {
  return text.split('\n').flatMap((row) => {
    const value = parseJson(row.trim().replace(/,$/, '')) as Partial<Record<keyof Finding, unknown>> | undefined;
    if (typeof value?.file !== 'string' || typeof value.message !== 'string') return [];
    const line = Number(value.line);
    return [
      {
        file: value.file,
        message: value.message,
        importance: (['blocker', 'major', 'minor', 'nit'] as const).find((known) => known === value.importance) ?? 'minor',
        title: String(value.title ?? ''),
        suggested_fix: String(value.suggested_fix ?? ''),
        line: Number.isInteger(line) && line > 0 ? line : null,
        side: value.side === 'LEFT' ? 'LEFT' : 'RIGHT',
        snippet: String(value.snippet ?? ''),
        rule: String(value.rule ?? ''),
      } satisfies Finding,
    ];
  });
}

const NEXT_PAGE = /^.*\bnext[_ ]?page"?\s*[:=]\s*"?(\d+).*$/im;

function nextPage(text: string): number | null {
  const found = NEXT_PAGE.exec(text.slice(-400)) ?? NEXT_PAGE.exec(text.slice(0, 400));
  return found ? Number(found[1]) : null;
}

/** Text that a tool put into a JSON object. */
function unwrap(text: string): string {
  const value = text.startsWith('{') ? (parseJson(text) as Record<string, unknown> | undefined) : undefined;
  const inner = value?.diff ?? value?.content ?? value?.text;
  if (typeof inner !== 'string') return text;
  const next = value?.nextPage ?? value?.next_page;
  return typeof next === 'number' ? `${inner}\nnext page: ${next}\n` : inner;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
