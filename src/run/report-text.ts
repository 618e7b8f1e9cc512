import { costOf, type Price } from '../journal/cost.ts';
import type { CheckOutput, Conclusion } from '../journal/effect.ts';
import type { BudgetLines } from '../journal/entry.ts';
import type { Finding } from '../journal/finding.ts';
import type { Away, RunView, StepView } from '../journal/view.ts';
import type { Withheld } from '../journal/withheld.ts';
import { type Coverage, coveredIn } from './coverage.ts';

const LONGEST_MESSAGE = 20_000;
/** A run at work is reported again after this long, also where nothing is new (ms). */
export const PULSE_MS = 300_000;

/** What a report is made from: the run, its findings and prices. */
export interface Reported {
  view: RunView;
  findings: Finding[];
  priceOf(model: string): Price | null;
  now: number;
  /** The wait for a model that is away, of the run or of one of its delegations. */
  away?: Away | null;
  /** What is used of the budgets that have a limit. */
  budgets?: BudgetLines;
  /** Which files of the change were looked at, at the end of a run that looked at any. */
  coverage?: Coverage | null;
  /** Findings that settings leave out. */
  withheld?: Withheld[];
  /** There is no status comment, so the check run says what it would. */
  quiet?: boolean;
  /** Whether the run drafted or submitted a review. */
  reviewed?: boolean;
}

/** The status comment. Its state line is ours, derived from the journal; the newest `update_status` stands quoted under it. */
export function statusComment(report: Reported): string {
  const { view, now } = report;
  const lines = [stateLine(report, view.start.workflow.name)];
  const said = saidBy(view);
  if (said.length > 0) lines.push('', ...said);
  if (view.reason) lines.push('', `Reason: ${clip(view.reason)}`);
  if (view.lacking.length > 0) lines.push('', `Asked for, but not built in this release: ${namesOf(view.lacking)}.`);
  if (isAtWork(view) && view.start.event.resource.kind === 'issue' && now - view.startedAt >= PULSE_MS)
    lines.push('', `Still at work at ${clock(now)}.`);
  return lines.join('\n');
}

/** The run's message at its end, before that its newest status. */
function saidBy({ endedAt, status, message }: RunView): string[] {
  if (endedAt === null) return status ? [quote(status)] : [];
  return message ? [clip(message)] : [];
}

/** Whether something is done or waited for that is not a person's reply: such a run is never silent for long. */
export function isAtWork(view: RunView): boolean {
  return view.endedAt === null && view.state !== 'Queued' && !isWaiting(view);
}

function namesOf(tools: string[]): string {
  return tools.map((tool) => `\`${tool}\``).join(', ');
}

function stateLine(report: Reported, name: string): string {
  const { view, now } = report;
  const time = duration((view.endedAt ?? now) - view.startedAt);
  switch (view.state) {
    case 'Completed':
      return view.reason ? `⚠️ **${name}** ended early after ${time}: its results are partial.` : `✅ **${name}** completed in ${time}.`;
    case 'Failed':
      return `❌ **${name}** failed after ${time}.`;
    case 'Timeout':
      return `❌ **${name}** timed out after ${time}.`;
    case 'Cancelled':
      return `⛔ **${name}** was cancelled after ${time}.`;
    case 'Skipped':
      if (view.reason.startsWith('budget')) return `⛔ **${name}** was not started.`;
      return `✅ **${name}** finished: nothing had to be done.`;
    case 'Queued':
      return `⏳ **${name}** is queued.`;
    case 'OnHold':
      return `⏸️ **${name}** is on hold.`;
    default:
      if (isWaiting(view)) return `💬 **${name}** has answered and listens for comments.`;
      return `⏳ **${name}** is running: ${progressOf(report)}.`;
  }
}

function isWaiting({ steps }: RunView): boolean {
  const open = steps.filter((step) => step.endedAt === null);
  return open.length > 0 && open.every((step) => step.state === 'WaitingForReply');
}

/** Which step, and n of m delegations. */
function progressOf({ view, away }: Reported): string {
  const step = view.steps.findLast((one) => one.endedAt === null) ?? view.steps.at(-1);
  const { queued, ended } = view.delegations;
  const parts = [step ? `step "${step.id}"` : 'starting'];
  if (queued > ended) parts.push(`${ended} of ${queued} delegations done`);
  if (away) parts.push(`the model is unavailable since ${clock(away.since)}`);
  return parts.join(', ');
}

/** 2026-11-21 14:05 UTC. */
function clock(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The check run's title and summary: findings, agents, tokens, cost, time. */
export function checkOutput(report: Reported): CheckOutput {
  const { view, now } = report;
  const lines = [
    `| | |`,
    `|---|---|`,
    `| State | ${view.state}${view.reason ? `: ${oneLine(view.reason)}` : ''} |`,
    ...(isAtWork(view) ? [`| As of | ${clock(now)} |`] : []),
    ...(report.away && isAtWork(view) ? [awayLine(report.away)] : []),
    `| Findings | ${findingsLine(report)} |`,
    `| Agents | ${view.agents.length > 0 ? view.agents.join(', ') : 'none delegated to'}; ${view.delegations.ended} of ${view.delegations.queued} delegations, ${view.turns} turns |`,
    ...(view.lacking.length > 0 ? [`| Tools not built | ${namesOf(view.lacking)} |`] : []),
    `| Tokens | ${tokensLine(view)} |`,
    `| Cost | ${costLine(report)} |`,
    ...(report.coverage ? [`| Coverage | ${coverageLine(report.coverage)} |`] : []),
    ...(report.budgets ?? []).map(({ of, text }) => `| Budget of ${of} | ${text} |`),
    `| Time | ${duration((view.endedAt ?? now) - view.startedAt)} |`,
    ...(report.quiet ? ['', ...saidBy(view)] : []),
    '',
    ...stepTable(view.steps),
    ...(report.coverage ? uncoveredLines(report.coverage) : []),
    ...foldedList('Findings that settings leave out', (report.withheld ?? []).map(withheldLine)),
  ];
  return { title: titleOf(report), summary: clip(lines.join('\n')) };
}

function awayLine({ message, since, until }: Away): string {
  return `| Model | unavailable since ${clock(since)}, asked again at ${clock(until)}: ${oneLine(message)} |`;
}

function titleOf(report: Reported): string {
  const { view, findings } = report;
  if (view.state === 'OnHold') return 'On hold';
  if (view.endedAt === null)
    return view.state === 'Queued' ? 'Queued' : isWaiting(view) ? 'Listening for comments' : `Running: ${progressOf(report)}`;
  const standing = findings.filter((finding) => finding.posted);
  const earlier = standing.filter(({ posted }) => posted?.earlier).length;
  const left = report.withheld?.length ?? 0;
  const known = `${earlier > 0 ? `, ${earlier} stood already` : ''}${left > 0 ? `, ${left} left out by settings` : ''}`;
  if (view.state === 'Completed') {
    const done = findings.length > 0 ? `${standing.length - earlier} of ${findings.length} findings posted${known}` : 'Completed';
    return view.reason ? `Partial: ${findings.length > 0 ? `${done}; ` : ''}${oneLine(view.reason).slice(0, 200)}` : done;
  }
  return `${view.state}${view.reason ? `: ${oneLine(view.reason).slice(0, 200)}` : ''}`;
}

/** Conservation: what was produced is posted, or it is said that it was not. */
function findingsLine({ findings, withheld = [] }: Reported): string {
  if (findings.length === 0) return 'none';
  const earlier = findings.filter(({ posted }) => posted?.earlier).length;
  const posted = findings.filter((finding) => finding.posted && !finding.posted.earlier);
  const rungs = new Map<string, number>();
  for (const { posted: where } of posted) if (where) rungs.set(where.rung, (rungs.get(where.rung) ?? 0) + 1);
  const where = [...rungs].map(([rung, count]) => `${count} ${RUNGS[rung] ?? rung}`).join(', ');
  const parts = [`${findings.length} produced`, `${posted.length} posted${where ? ` (${where})` : ''}`];
  if (earlier > 0) parts.push(`${earlier} in open threads of earlier reviews`);
  for (const how of ['suppressed', 'deferred'] as const) {
    const count = withheld.filter((one) => one.how === how).length;
    if (count > 0) parts.push(`${count} ${how} by settings`);
  }
  return [...parts, `${findings.length - posted.length - earlier - withheld.length} not posted`].join(', ');
}

function withheldLine({ finding: { path, line, body }, why }: Withheld): string {
  return `- ${code(line === undefined ? path : `${path}:${line}`)}: ${oneLine(body).slice(0, 200)} (${oneLine(why)})`;
}

const RUNGS: Record<string, string> = {
  line: 'on their lines',
  'range-cut': 'on a cut range',
  file: 'on the file',
  body: 'in the review body',
};

function tokensLine({ usage }: RunView): string {
  const all = Object.values(usage);
  const sum = (key: 'input' | 'output' | 'cacheRead' | 'cacheWrite') => all.reduce((total, one) => total + one[key], 0);
  const number = (value: number) => value.toLocaleString('en-US');
  return `${number(sum('input') + sum('cacheWrite') + sum('cacheRead'))} in (${number(sum('cacheRead'))} from the cache), ${number(sum('output'))} out`;
}

/** What a run's tokens cost; models without a price are named. */
export function costLine({ view, priceOf }: Pick<Reported, 'view' | 'priceOf'>): string {
  const rows = Object.entries(view.usage).map(([model, usage]) => ({ model, usage, price: priceOf(model) }));
  const unknown = rows.filter(({ price }) => price === null).map(({ model }) => model);
  const dollars = rows.reduce((sum, { usage, price }) => sum + (price ? costOf(usage, price) : 0), 0);
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}${unknown.length > 0 ? ` (without ${unknown.join(', ')}: no price in the settings)` : ''}`;
}

function stepTable(steps: StepView[]): string[] {
  if (steps.length === 0) return [];
  const rows = steps.map(
    (step) =>
      `| ${step.id} | ${step.state} | ${step.endedAt === null ? '' : duration(step.endedAt - step.startedAt)} | ${oneLine(step.reason)} |`,
  );
  return ['| Step | State | Time | |', '|---|---|---|---|', ...rows];
}

function isCoveredInPart({ reviewed, coverage }: Reported): boolean {
  return reviewed === true && coverage !== null && coverage !== undefined && coveredIn(coverage) < coverage.files.length;
}

/** How many of the changed files were seen, and what became of the others. */
function coverageLine(coverage: Coverage): string {
  const { files } = coverage;
  const counts = new Map<string, number>();
  for (const { state } of files) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  return `${coveredIn(coverage)} of ${files.length} changed files${states ? `: ${states}` : ''}`;
}

const MOST_LISTED = 50;

function uncoveredLines({ files }: Coverage): string[] {
  const left = files.filter(({ state }) => state === 'unread' || state === 'failed' || state === 'too large');
  const ignored = files.flatMap((file) => (file.state === 'ignored' ? [`- ${code(file.path)}: ignored by ${code(file.rule)}`] : []));
  const read = files.flatMap((file) => (file.state === 'read' ? [`- ${code(file.path)}: read by ${file.by.join(', ')}`] : []));
  const rows = left.slice(0, MOST_LISTED).map(({ path, state }) => `- ${code(path)}: ${state}`);
  const more = left.length > MOST_LISTED ? [`- and ${left.length - MOST_LISTED} more`] : [];
  return [
    ...(rows.length > 0 ? ['', 'Not read:', ...rows, ...more] : []),
    ...foldedList('Files that settings leave out', ignored),
    ...foldedList('Files that were read', read),
  ];
}

function foldedList(title: string, rows: string[]): string[] {
  return rows.length > 0 ? ['', `<details><summary>${title}</summary>`, '', ...rows.slice(0, MOST_LISTED * 4), '', '</details>'] : [];
}

function code(path: string): string {
  return `\`${path.replace(/[`\r\n]/g, "'")}\``;
}

/** How a check run ends: green only where the run completed, nothing ended early, every finding was posted or left out by settings, and a review saw every file; neutral where what there is is partial. */
export function conclusionOf(report: Reported): Conclusion {
  const { view } = report;
  switch (view.state) {
    case 'Completed':
      return view.reason === '' && isConserved(report) && !isCoveredInPart(report) ? 'success' : 'neutral';
    case 'Skipped':
    case 'Timeout':
      return 'neutral';
    case 'Cancelled':
      return 'cancelled';
    default:
      return 'failure';
  }
}

/** Every finding is posted, or settings leave it out. */
function isConserved({ findings, withheld = [] }: Reported): boolean {
  return findings.filter(({ posted }) => !posted).length === withheld.length;
}

/** 1 h 2 min, 3 min 4 s, 5.6 s. */
export function duration(ms: number): string {
  const exact = Math.max(0, ms) / 1000;
  const seconds = Math.round(exact);
  if (seconds < 60) return `${exact < 9.95 ? exact.toFixed(1) : seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function quote(text: string): string {
  return clip(text)
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}

function clip(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}\n\n(cut: ${text.length} characters in all)`;
}
