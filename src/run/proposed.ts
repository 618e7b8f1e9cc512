import { setImmediate as breathe } from 'node:timers/promises';
import { TOOLS_BY_NAME } from '../agent/role.ts';
import type { Annotation, Conclusion } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import { parseAgentFile } from '../workflow/agent-file.ts';
import { isWorkflowPath, layoutOf, MOST_WORKFLOWS } from '../workflow/layout.ts';
import { type LoadedWorkflow, loadWorkflow } from '../workflow/load.ts';
import { type Problem, sentence } from '../workflow/problem.ts';
import { parseRepositorySettings } from '../workflow/settings-file.ts';
import { matchTriggers, type Trigger } from '../workflow/trigger.ts';

/** Configuration as a pull request's head has it: `.overcut/**` by path, and what was there and not read. */
export interface ProposedFiles {
  files: Record<string, string>;
  skipped: { path: string; reason: string }[];
}

/** A workflow that would start or not once this is merged; `triggers` is null where its file has errors. */
export interface ProposedWorkflow {
  path: string;
  name: string;
  triggers: Trigger[] | null;
}

/** What was found in proposed configuration. */
export interface Proposed {
  problems: Problem[];
  workflows: ProposedWorkflow[];
  agents: number;
}

/** Annotations of one check run: ten requests. */
const MOST_ANNOTATIONS = 500;
const LISTED = 30;
const LONGEST_CELL = 300;

/** Looks at proposed files as data: every mistake in workflows, agents and settings, and what cannot be read at all. Never throws. Others get their turn between two files. */
export async function inspectProposed({ files, skipped }: ProposedFiles): Promise<Proposed> {
  const layout = layoutOf(Object.keys(files));
  const textOf = (path: string) => files[path] ?? '';
  const agentIds = Object.keys(layout.agents);
  const unread = layout.workflows.slice(MOST_WORKFLOWS).map(({ path }) => ({ path, reason: `there are over ${MOST_WORKFLOWS} workflows` }));
  const loaded: ({ path: string } & LoadedWorkflow)[] = [];
  for (const { path, prompts } of layout.workflows.slice(0, MOST_WORKFLOWS)) {
    await breathe();
    const texts = Object.fromEntries(Object.entries(prompts).map(([step, file]) => [step, textOf(file)]));
    loaded.push({ path, ...loadWorkflow({ path, text: textOf(path), prompts: texts, agentIds }) });
  }
  const inAgents: Problem[] = [];
  for (const path of Object.values(layout.agents)) {
    await breathe();
    inAgents.push(...parseAgentFile({ path, text: textOf(path) }).problems);
  }
  const problems = [
    ...[...skipped.filter(({ path }) => path.startsWith('.overcut')), ...unread].map(toProblem),
    ...loaded.flatMap((one) => one.problems),
    ...inAgents,
    ...(layout.settings ? parseRepositorySettings(textOf(layout.settings), layout.settings, TOOLS_BY_NAME).problems : []),
  ];
  const workflows = loaded.map(({ path, workflow }) => ({ path, name: workflow?.name ?? path, triggers: workflow?.triggers ?? null }));
  return { problems: problems.toSorted(byPlace), workflows, agents: agentIds.length };
}

/** A remark on each faulty line, errors first where there are very many. */
export function annotationsOf({ problems }: Proposed): Annotation[] {
  const errorsFirst = problems.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  return errorsFirst.slice(0, MOST_ANNOTATIONS).map(({ file, line, column, severity, path, message }) => ({
    path: file,
    line,
    column,
    level: severity === 'error' ? 'failure' : 'warning',
    message: path === '$' ? message : `${path}: ${message}`,
  }));
}

/** Red with errors, grey with warnings only, else green. */
export function conclusionOf({ problems }: Proposed): Conclusion {
  if (problems.some(({ severity }) => severity === 'error')) return 'failure';
  return problems.length > 0 ? 'neutral' : 'success';
}

/** In a few words: how many errors and warnings, or what is valid. */
export function titleOf({ problems, workflows, agents }: Proposed): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const counts = [count(errors, 'error'), count(problems.length - errors, 'warning')].filter((text) => !text.startsWith('0 '));
  if (counts.length > 0) return counts.join(', ');
  return `Valid: ${count(workflows.length, 'workflow')}, ${count(agents, 'agent')}`;
}

/** The check's text: the mistakes, what would start on this pull request, and that nothing of it runs before it is merged. */
export async function summaryOf(proposed: Proposed, event: Event): Promise<string> {
  const { problems, workflows } = proposed;
  const { defaultBranch } = event.repository;
  const rows = problems.slice(0, LISTED).map(({ severity, file, line, column, message }) => {
    return `| ${severity} | ${code(`${file}:${line}:${column}`)} | ${cell(message)} |`;
  });
  const more = problems.length > LISTED ? [`\n${problems.length - LISTED} more stand beside their lines.`] : [];
  const mistakes = rows.length > 0 ? ['| | Where | What |', '|---|---|---|', ...rows, ...more, ''] : [];
  const nothing = 'No workflow is left: once this is merged, nothing starts any more.';
  const verdicts: string[] = [];
  for (const workflow of workflows) {
    await breathe();
    verdicts.push(workflowRow(workflow, event));
  }
  const starts = [
    '| Workflow | When this pull request is opened | When commits are pushed to it | It also waits for |',
    '|---|---|---|---|',
    ...verdicts,
  ];
  const fork = event.resource.kind === 'pr' && event.resource.head.fork;
  return [
    `**${titleOf(proposed)}** in the configuration that this pull request proposes.`,
    '',
    ...mistakes,
    `Nothing of it runs before it stands on ${code(defaultBranch)}: until then the version of ${code(defaultBranch)} is what runs, here too.`,
    '',
    '### What would start on this very pull request',
    '',
    ...(workflows.length > 0 ? starts : [nothing]),
    ...(fork ? ['', 'It comes from a fork: whether it may start anything at all is also for the setting `forks`.'] : []),
  ].join('\n');
}

function workflowRow({ path, name, triggers }: ProposedWorkflow, event: Event): string {
  const title = name === path ? code(path) : `${cell(name)} (${code(path)})`;
  if (!triggers) return `| ${title} | no: it has errors | no: it has errors | |`;
  const [opened, pushed] = variantsOf(event).map((variant) => {
    const match = matchTriggers(triggers, variant);
    return 'trigger' in match ? 'yes' : `no: ${cell(match.reason)}`;
  });
  const others = triggers.filter(({ event: name }) => !VARIANTS.some((variant) => variant.name === name));
  const waits = others.map((trigger) => (trigger.slashCommand ? `/${trigger.slashCommand.command}` : trigger.event));
  return `| ${title} | ${opened} | ${pushed} | ${[...new Set(waits)].map(code).join(', ')} |`;
}

const VARIANTS = [
  { name: 'pull_request_opened', trigger: { prState: 'opened', prAction: 'opened' } },
  { name: 'pull_request_edited', trigger: { commitAdded: true } },
] as const;

/** The same pull request, as if it had just been opened, and as if commits had just been pushed. */
function variantsOf({ context }: Event) {
  const { prState: _, prAction: __, commitAdded: ___, ...plain } = context.trigger;
  return VARIANTS.map(({ name, trigger }) => ({ name, context: { ...context, trigger: { ...plain, eventType: name, ...trigger } } }));
}

/** What is no plain text file of a bearable size is not read. A link is refused wherever it stands. */
function toProblem({ path, reason }: ProposedFiles['skipped'][number]): Problem {
  const matters =
    path === '.overcut' || /link/.test(reason) || isWorkflowPath(path) || /^\.overcut\/(?:agents\/|settings\.json$)/.test(path);
  const [expected, found] = ['a text file of this repository', `what is not read: ${reason}`];
  const place = { file: path, line: 1, column: 1, path: '$' };
  return { severity: matters ? 'error' : 'warning', ...place, expected, found, message: sentence(expected, found) };
}

function byPlace(a: Problem, b: Problem): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
}

function cell(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return (line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL)}…` : line).replaceAll('|', '\\|');
}

function code(text: string): string {
  return `\`${cell(text).replaceAll('`', "'")}\``;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
