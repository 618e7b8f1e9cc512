import { checkFlow, sketchFlow } from './check-flow.ts';
import { checkRunTime, checkSteps, instructionOf } from './check-step.ts';
import { checkTriggers } from './check-trigger.ts';
import { Definition, type Workflow } from './definition.ts';
import { findExcess } from './excess.ts';
import { checkValue } from './issue.ts';
import { type JsonDocument, parseJson } from './json.ts';
import { findLeftovers, isUnder } from './leftover.ts';
import { completeFlow } from './order.ts';
import { at, type Place } from './place.ts';
import { type Path, type Problem, type Remark, sentence, writePath } from './problem.ts';
import { type Found, findDefinition } from './shape.ts';
import { defaultMinutes, type Step, type StepInput } from './step.ts';

const MOST_PROBLEMS = 500;

/** A workflow's file and what stands beside it. */
export interface WorkflowSource {
  /** Path of the file, as problems shall name it. */
  path: string;
  text: string;
  /** Texts of the `<step-id>.md` files in its folder, by step id. */
  prompts: Readonly<Record<string, string>>;
  /** Ids of the files in `.overcut/agents`. */
  agentIds?: readonly string[];
}

/** What a file gave: the workflow, unless there are errors, and every problem, in the order of the file. */
export interface LoadedWorkflow {
  workflow: Workflow | null;
  problems: Problem[];
}

/** Reads a workflow in any accepted shape. Reports all mistakes at once and never throws, whatever the text is. */
export function loadWorkflow(source: WorkflowSource): LoadedWorkflow {
  const agentIds = source.agentIds ?? [];
  const document = parseJson(source.text, source.path);
  if (document.value === undefined) return { workflow: null, problems: document.problems };
  const found = findDefinition(document.value, agentIds);
  if (!found) {
    const remark: Remark = { severity: 'error', path: [], expected: 'an object: a workflow' };
    return { workflow: null, problems: [...document.problems, document.place(remark)] };
  }
  const excess = findExcess(found, { prompts: source.prompts, promptPath: (step) => step });
  if (excess.length > 0) return { workflow: null, problems: [...document.problems, ...excess.map(document.place)] };
  const { data, remarks, problems } = checkAll({ document, found, source, agentIds });
  const all = [...document.problems, ...settle(remarks, document), ...problems].sort(byPlace(source.path));
  const failed = all.some(({ severity }) => severity === 'error');
  const workflow = failed || !data ? null : buildWorkflow({ data, found, source, extra: extraKeys(remarks, document.value) });
  return { workflow, problems: workflow || failed ? all : [...all, unreadable(source.path)] };
}

interface Whole {
  document: JsonDocument;
  found: Found;
  source: WorkflowSource;
  agentIds: readonly string[];
}

function checkAll({ document, found, source, agentIds }: Whole): { data: Definition | null; remarks: Remark[]; problems: Problem[] } {
  const definition: Place = { value: found.definition, path: found.base };
  const [steps, flow] = [at(definition, 'steps'), at(definition, 'flow')];
  const leftovers = findLeftovers({ value: document.value, path: [] });
  const tops = leftovers.map(({ path }) => path);
  const { data, remarks } = checkValue(Definition, found.definition, { base: found.base });
  const promptPath = (step: string): string =>
    `${source.path.includes('/') ? source.path.slice(0, source.path.lastIndexOf('/') + 1) : ''}${step}.md`;
  const checked = checkSteps(steps, { found, flow: sketchFlow(steps, flow), prompts: source.prompts, promptPath, agentIds });
  const first = [...checkTriggers(at(definition, 'triggers')), ...checkVersion(at(definition, 'version')), ...checked.remarks];
  const last = [...found.remarks, ...remarks, ...checkFlow(steps, flow), ...checkRunTime(definition)];
  const rest = [...first, ...last].filter((remark) => !isUnder(remark.path, tops));
  return { data, remarks: [...leftovers, ...rest], problems: checked.problems };
}

function checkVersion(version: Place): Remark[] {
  if (typeof version.value !== 'string' || version.value === '1.0.0') return [];
  const severity = version.value.startsWith('1.') ? 'warning' : 'error';
  return [{ severity, path: version.path, expected: '"1.0.0", the version of the format' }];
}

/** Each place is complained about once, by the check that knows most of it: those come first. Of very many the first 500 are told, errors before warnings. */
function settle(remarks: Remark[], document: JsonDocument): Problem[] {
  const errorsFirst = [
    ...remarks.filter(({ severity }) => severity === 'error'),
    ...remarks.filter(({ severity }) => severity === 'warning'),
  ];
  const errors = new Set<string>();
  const seen = new Set<string>();
  const distinct = errorsFirst.filter((remark) => {
    const path = writePath(remark.path);
    const key = remark.severity === 'error' ? path : `${path} ${remark.at ?? ''} ${remark.expected}`;
    const known = remark.severity === 'error' ? errors : seen;
    return !known.has(key) && known.add(key);
  });
  return distinct.slice(0, MOST_PROBLEMS).map(document.place);
}

function byPlace(own: string): (a: Problem, b: Problem) => number {
  const fileOrder = (problem: Problem): string => (problem.file === own ? '' : problem.file);
  return (a, b) => (fileOrder(a) < fileOrder(b) ? -1 : fileOrder(a) > fileOrder(b) ? 1 : a.line - b.line || a.column - b.column);
}

function extraKeys(remarks: Remark[], value: unknown): Record<string, unknown> {
  const strange = remarks.filter(({ found }) => found?.startsWith('the unknown key'));
  return Object.fromEntries(strange.map(({ path }) => [writePath(path), valueAt(value, path)]));
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (place, key) => (typeof place === 'object' && place !== null ? (place as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

interface Parts {
  data: Definition;
  found: Found;
  source: WorkflowSource;
  extra: Record<string, unknown>;
}

function buildWorkflow({ data, found, source, extra }: Parts): Workflow {
  const ids = data.steps.map(({ id }) => id);
  return {
    ...data,
    path: source.path,
    version: '1.0.0',
    description: data.description || found.description,
    steps: data.steps.map((step) => buildStep(step, found, source)),
    flow: completeFlow(ids, data.flow),
    agents: found.agents,
    extra,
  };
}

function buildStep(step: StepInput, found: Found, source: WorkflowSource): Step {
  const { id, action } = step;
  const name = step.name || id;
  const stepMaxDurationMinutes = step.stepMaxDurationMinutes ?? defaultMinutes(step);
  const resolve = (agent: string): string => found.aliases.get(agent) ?? agent;
  if (action === 'git.clone') return { id, name, stepMaxDurationMinutes, action, params: step.params, instruction: null };
  if (action === 'repo.identify') return { id, name, stepMaxDurationMinutes, action, params: step.params, instruction: null };
  if (action === 'ci.executeWorkflow') return { id, name, stepMaxDurationMinutes, action, params: step.params, instruction: null };
  const instruction = instructionOf({ value: step, path: [] }, { prompts: source.prompts, promptPath: (other) => other })?.text ?? '';
  if (action === 'agent.run') {
    const { agent, ...params } = step.params;
    return {
      id,
      name,
      stepMaxDurationMinutes,
      action,
      params: { ...params, agentId: resolve(params.agentId || (agent ?? '')) },
      instruction,
    };
  }
  const { agent, agents, ...params } = step.params;
  const agentIds = [...new Set([...params.agentIds, ...(agents ?? []), ...(agent ? [agent] : [])].map(resolve))];
  return { id, name, stepMaxDurationMinutes, action, params: { ...params, agentIds }, instruction };
}

function unreadable(file: string): Problem {
  const [expected, found] = ['a workflow', 'a file that could not be understood'];
  return { severity: 'error', file, line: 1, column: 1, path: '$', expected, found, message: sentence(expected, found) };
}
