import { announce, finish } from './agent.ts';
import type { Call, Reply, Step } from './call.ts';
import { planItems } from './chunk.ts';
import { commentsAfter, fillReport, instructionOf, outputOf, type Values } from './instruction.ts';

const TOOL = 'delegate_to_sub_agent';
const TRIES = 2;

/** A task for a sub-agent. */
interface Task {
  agent: string;
  label: string;
  instructions: string;
}

/**
 * Plays any coordinator: says once that it starts, gives out the tasks that its instruction describes (stage by stage, the tasks of a stage in one
 * turn, a failed one once more), then completes with the outputs that are asked for, or with what came back.
 */
export function directCoordinator(call: Call): Reply {
  const completed = call.done('task_completed').findLast((step) => !step.error);
  const comments = commentsAfter(call, completed?.turn ?? 0);
  if (completed) return comments.length ? finish(call, comments.map(answerComment).join('\n\n')) : { text: '' };
  if (call.offers('update_status') && call.done('update_status').length === 0) return announce('Scripted coordinator at work.');
  const text = instructionOf(call);
  const results: Step[] = [];
  for (const stage of call.offers(TOOL) ? stagesOf(call, text) : []) {
    const tasks = stage(results);
    const missing = tasks.filter((task) => isOpen(call, task));
    if (missing.length) return { text: `Giving out ${missing.length} tasks.`, tools: missing.map((task) => delegate(call, task)) };
    results.push(...tasks.flatMap((task) => attemptsOf(call, task).slice(-1)));
  }
  const summary = completionOf(text, results.length ? results : call.done(TOOL));
  return finish(call, [summary, ...comments.map(answerComment)].join('\n\n'));
}

/** Tasks of a stage may depend on what the stages before it brought back. */
type Stage = (before: Step[]) => Task[];

function stagesOf(call: Call, text: string): Stage[] {
  const agent = agentsIn(call, text)[0] ?? 'Code Reviewer';
  const nothing = outputOf(text, 'chunks_created') === 'no' || outputOf(text, 'kept_findings') === '0';
  const single = /following instruction:\s*[`"]+(.+?)["`]+\s*$/m.exec(text)?.[1];
  if (nothing && single) return [() => [{ agent, label: 'no findings', instructions: single }]];
  const templates = templatesIn(text);
  const items = itemsOf(text);
  if (templates.length === 0 || (items.length === 0 && templates.length > 1)) return [() => plainTasks(call, text)];
  return templates.map((template, at): Stage => {
    if (at === 0 && items.length)
      return () => items.map((item) => ({ agent, label: labelOf(item), instructions: fillTemplate(template, item) }));
    return (before) => [{ agent, label: at === 0 ? 'whole change' : 'closing', instructions: closeTemplate(template, { items, before }) }];
  });
}

/** Texts that the instruction wants handed on: fenced ones that address the sub-agent, else the passage that does so in the middle of the prompt. */
function templatesIn(text: string): string[] {
  const fenced = [...text.matchAll(/```\w*\n(You are [\s\S]*?)\n```/g)].flatMap(([, body]) => body ?? []);
  if (fenced.length) return fenced;
  const passages = [...text.matchAll(/^You are (?:acting as )?an? \*\*(?!Coordinator)[\s\S]*?(?=\n---\s*\n+#|\n#+ Step|(?![\s\S]))/gm)].map(
    ([body]) => body,
  );
  const asked = /\bdelegate\b/i.exec(text);
  return passages.filter((passage) => asked && text.indexOf(passage) > asked.index);
}

/** What the first stage is spread over: chunks that an earlier step names, else the items of a plan. */
function itemsOf(text: string): string[] {
  const chunks = (outputOf(text, 'chunk_names') ?? '').match(/[\w.-]+/g) ?? [];
  return chunks.length ? chunks : planItems(text);
}

function labelOf(item: string): string {
  return /\[([^\]]+)\]/.exec(item)?.[1]?.slice(0, 60) ?? item.slice(0, 60);
}

const ITEM = /\{(?:chunkName|chunk|item|task)\}|\[task\]/g;

function fillTemplate(template: string, item: string): string {
  const filled = template.replace(ITEM, () => item);
  return filled === template ? `${template.trim()}\n\n**Task:** ${item}` : filled;
}

function closeTemplate(template: string, { items, before }: { items: string[]; before: Step[] }): string {
  const reports = before.map((step) => `- ${firstLine(step.result)}`).join('\n');
  return template.replace(/\{chunk_names_list\}/g, () => items.join(', ')).replace(/\{reports\}/g, () => reports);
}

/** One task for each agent, with the instruction itself, where it describes no other tasks. */
function plainTasks(call: Call, text: string): Task[] {
  const agents = agentsIn(call, text);
  const goal = text.slice(-4_000);
  return (agents.length ? agents : ['Code Reviewer']).map((agent) => ({
    agent,
    label: agent.slice(0, 60),
    instructions: `Scripted task from the coordinator: do your part of the following and report in a few lines.\n\n${goal}`,
  }));
}

/** The sub-agents: by the tool's schema, by the prompt's wording, by a list in the system prompt. */
function agentsIn(call: Call, text: string): string[] {
  const rows = text.split('\n').filter((row) => /\bdelegat/i.test(row));
  const named = rows.flatMap((row) =>
    [...row.matchAll(/\b(?:to|the|and|or)\s+\*\*([A-Z][\w /-]{1,60})\*\*/g)].map(([, name]) => name ?? ''),
  );
  const field = call.tools.find(({ name }) => name === TOOL)?.input_schema?.properties?.agentId as { enum?: unknown } | undefined;
  const listed = Array.isArray(field?.enum) ? field.enum.map(String) : namesIn(call.system);
  const first = named.filter((name) => !/coordinator/i.test(name));
  return [...new Set(first.length ? first : listed)];
}

function namesIn(system: string): string[] {
  const at = system.search(/\b(?:sub-?agents|agents)\b[^\n]*:\s*\n/i);
  if (at < 0) return [];
  const rows = system.slice(at).split('\n').slice(1);
  const end = rows.findIndex((row) => row.trim() !== '' && !/^\s*[-*]/.test(row));
  return rows
    .slice(0, end < 0 ? undefined : end)
    .flatMap(
      (row) => /^\s*[-*]\s+`[^`]+`\s+"([^"]+)"/.exec(row)?.[1] ?? /^\s*[-*]\s+[`*"]*([^`*":(—]+?)[`*"]*\s*(?:[:(—]|$)/.exec(row)?.[1] ?? [],
    );
}

function attemptsOf(call: Call, task: Task): Step[] {
  return call.done(TOOL).filter((step) => step.input.instructions === task.instructions && step.input.agentId === task.agent);
}

function isOpen(call: Call, task: Task): boolean {
  const attempts = attemptsOf(call, task);
  return attempts.length < TRIES && !attempts.some((step) => step.result !== null && !step.error);
}

function delegate(call: Call, { agent, label, instructions }: Task): { name: string; input: Record<string, unknown> } {
  const properties = call.tools.find(({ name }) => name === TOOL)?.input_schema?.properties ?? {};
  return { name: TOOL, input: { agentId: agent, instructions, ...('label' in properties ? { label } : {}) } };
}

function completionOf(text: string, results: Step[]): string {
  const good = results.filter((step) => !step.error && step.result !== null);
  const reports = good.map((step) => firstLine(step.result));
  const found = reports.reduce((sum, report) => sum + Number(/(\d+) findings?\b/.exec(report)?.[1] ?? 0), 0);
  const values: Values = { review_comments_found: found > 0 ? 'yes' : 'no', total_findings: found };
  const submitted = reports.findLast((report) => /^(?:Review submitted|Cannot submit review)/.test(report));
  const asked = fillReport(text, values);
  if (submitted) return submitted;
  if (asked) return asked;
  const fixed = /task_completed`? tool with message:\s*`?"([^"\n]+)"/.exec(text)?.[1];
  if (fixed && results.length === 1) return fixed;
  const rows = results.map(
    (step) => `- ${String(step.input.label ?? step.input.agentId)}: ${step.error ? 'failed: ' : ''}${firstLine(step.result)}`,
  );
  return [`Scripted summary: ${good.length} of ${results.length} tasks came back.`, ...rows].join('\n');
}

function firstLine(text: string | null): string {
  return (text ?? '').trim().split('\n')[0]?.slice(0, 300) ?? '';
}

function answerComment(comment: string): string {
  const quote = comment.replace(/\s+/g, ' ').slice(0, 120);
  return `Scripted reply: I read your comment ("${quote}"). No language model is connected, so I cannot say more than that; with an ANTHROPIC_API_KEY you get a real answer here.`;
}
