import { describeMissing, isTypeName } from './agent-role.ts';
import type { FlowSketch } from './check-flow.ts';
import { checkPromptFile, checkTemplate, type TemplateScope } from './check-template.ts';
import type { AgentReference } from './definition.ts';
import { reachable, reversed } from './graph.ts';
import { at, isAbsent, itemsOf, numberAt, type Place, textAt, textsUnder } from './place.ts';
import type { Problem, Remark } from './problem.ts';
import type { Found } from './shape.ts';

/** Everything beside the steps that their checks look at. */
export interface StepSurroundings {
  found: Found;
  flow: FlowSketch;
  /** Texts of `<step-id>.md`, and the path of each. */
  prompts: Readonly<Record<string, string>>;
  promptPath(step: string): string;
  agentIds: readonly string[];
}

interface StepFindings {
  remarks: Remark[];
  problems: Problem[];
}

const AGENT_ACTIONS = new Set(['agent.run', 'agent.session']);

/** Checks what a schema cannot see in steps: instructions, templates, agents, time limits, signals. Problems of prompt files come with their own file. */
export function checkSteps(steps: Place, around: StepSurroundings): StepFindings {
  const all = itemsOf(steps);
  const kinds = new Map(all.flatMap((step) => (idOf(step) === null ? [] : [[idOf(step) ?? '', { agent: isAgent(step) }] as const])));
  const back = reversed(around.flow.graph);
  const scopeOf = (step: Place): TemplateScope => {
    const before = reachable(back, back.get(idOf(step) ?? '') ?? []);
    return { steps: kinds, before };
  };
  const texts = all
    .map((step) => instructionOf(step, around)?.text ?? '')
    .join('\n')
    .toLowerCase();
  return {
    remarks: all.flatMap((step) => [
      ...checkInstruction(step, around, scopeOf(step)),
      ...checkParams(step, scopeOf(step)),
      ...checkAgents(step, around, texts),
      ...checkRepository(step, around),
      ...checkSession(step),
    ]),
    problems: all.flatMap((step) => {
      const source = instructionOf(step, around);
      return source?.file ? checkPromptFile(source.file, source.text, scopeOf(step)) : [];
    }),
  };
}

/** The instruction of an agent step: its own, else the text of its file (then with the file's path). */
export function instructionOf(
  step: Place,
  { prompts, promptPath }: Pick<StepSurroundings, 'prompts' | 'promptPath'>,
): { text: string; file: string | null } | null {
  const own = textAt(at(step, 'instruction'));
  if (own !== null && own.trim() !== '') return { text: own, file: null };
  const id = idOf(step) ?? '';
  const text = isAgent(step) && Object.hasOwn(prompts, id) ? prompts[id] : undefined;
  return text === undefined || text.trim() === '' ? null : { text, file: promptPath(id) };
}

/** The names a step gives its agents, as written: `agentId`, `agentIds`, and the third shape's `agent` and `agents`. */
export function agentPlaces(step: Place): Place[] {
  const params = at(step, 'params');
  const one = [at(params, 'agentId'), at(params, 'agent')].filter((place) => textAt(place) !== null);
  const many = [...itemsOf(at(params, 'agentIds')), ...itemsOf(at(params, 'agents'))].filter((place) => textAt(place) !== null);
  return actionOf(step) === 'agent.run' ? one : actionOf(step) === 'agent.session' ? [...many, ...one.slice(-1)] : [];
}

function checkInstruction(step: Place, around: StepSurroundings, scope: TemplateScope): Remark[] {
  const place = at(step, 'instruction');
  if (!isAgent(step)) return [];
  const source = instructionOf(step, around);
  if (!source && (isAbsent(place) || textAt(place) !== null)) {
    const file = around.promptPath(idOf(step) ?? '<step-id>');
    return [{ severity: 'error', path: place.path, expected: `an instruction, here or in the file ${file}`, found: 'neither' }];
  }
  return source && !source.file ? checkTemplate(source.text, scope).map((remark) => ({ ...remark, path: place.path })) : [];
}

function checkParams(step: Place, scope: TemplateScope): Remark[] {
  return textsUnder(at(step, 'params')).flatMap((place) =>
    checkTemplate(textAt(place) ?? '', scope).map((remark) => ({ ...remark, path: place.path })),
  );
}

function checkAgents(step: Place, { found, agentIds }: StepSurroundings, texts: string): Remark[] {
  if (!isAgent(step)) return [];
  const places = agentPlaces(step);
  const given = ['agentId', 'agent', 'agentIds', 'agents'].some((key) => !isAbsent(at(at(step, 'params'), key)));
  const wanted = actionOf(step) === 'agent.run' ? 'agentId' : 'agentIds';
  const params = at(step, 'params');
  const empty =
    places.length === 0 &&
    (!given || [at(params, 'agentIds'), at(params, 'agents')].some(({ value }) => Array.isArray(value) && value.length === 0));
  if (empty && !(params.value === undefined || params.value === null)) {
    const expected = wanted === 'agentId' ? 'the id of an agent' : 'a list of at least one agent id';
    return [{ severity: 'error', path: at(params, wanted).path, expected, hint: describeMissing('', agentIds, found.agents) }];
  }
  return places.flatMap((place) => checkAgent(place, { found, agentIds, texts, session: wanted === 'agentIds' }));
}

interface AgentCheck {
  found: Found;
  agentIds: readonly string[];
  /** All instructions, in lower case. */
  texts: string;
  session: boolean;
}

function checkAgent(place: Place, { found, agentIds, texts, session }: AgentCheck): Remark[] {
  const written = textAt(place) ?? '';
  const id = found.aliases.get(written) ?? written;
  const reference = found.agents.find((agent) => agent.id === id);
  if (!agentIds.includes(id) && !reference && !isTypeName(id)) {
    return [{ severity: 'error', path: place.path, expected: 'an agent that exists', hint: describeMissing(id, agentIds, found.agents) }];
  }
  if (!session || isNamed(written, reference, texts)) return [];
  const name = reference?.name.trim() || id;
  return [
    {
      severity: 'warning',
      path: place.path,
      expected: 'an agent that an instruction names',
      found: JSON.stringify(name),
      hint: 'nothing tells the coordinator what to delegate to it',
    },
  ];
}

function isNamed(written: string, reference: AgentReference | undefined, texts: string): boolean {
  const name = reference?.name.trim().toLowerCase() ?? '';
  return texts.includes(written.toLowerCase()) || (name !== '' && (texts.includes(name) || texts.includes(name.replace(/s$/, ''))));
}

function checkRepository(step: Place, { found }: StepSurroundings): Remark[] {
  const place = at(at(step, 'params'), 'repoFullName');
  if (actionOf(step) !== 'git.clone' || found.shape === 'named' || !isAbsent(place)) return [];
  return [
    {
      severity: 'error',
      path: place.path,
      expected: 'the repository to clone',
      hint: 'the event\'s own is "{{trigger.repository.fullName}}"',
    },
  ];
}

function checkSession(step: Place): Remark[] {
  const params = at(step, 'params');
  if (actionOf(step) !== 'agent.session') return [];
  const exit = at(params, 'exitCriteria');
  const signals = at(at(exit, 'userSignals'), 'explicit');
  const deaf = at(params, 'listenToComments').value !== true && at(params, 'keepSessionOpenForComments').value !== true;
  const unheard: Remark[] =
    deaf && itemsOf(signals).length > 0
      ? [
          {
            severity: 'warning',
            path: signals.path,
            expected: '"listenToComments" or "keepSessionOpenForComments" to be true',
            found: 'signals that no comment can reach',
          },
        ]
      : [];
  const limit = at(at(exit, 'timeLimit'), 'maxDurationMinutes');
  const [minutes, most] = [numberAt(limit), numberAt(at(step, 'stepMaxDurationMinutes'))];
  const long: Remark[] =
    minutes !== null && most !== null && minutes > most
      ? [{ severity: 'warning', path: limit.path, expected: `at most the step's own ${most} minutes`, hint: 'the step ends first' }]
      : [];
  return [...unheard, ...long];
}

/** Warns of sessions whose time limit is longer than the whole run's. */
export function checkRunTime(definition: Place): Remark[] {
  const timeout = at(definition, 'timeoutMs');
  const total = timeout.value === undefined ? 60 : (numberAt(timeout) ?? Number.POSITIVE_INFINITY) / 60_000;
  return itemsOf(at(definition, 'steps')).flatMap((step): Remark[] => {
    const limit = at(at(at(at(step, 'params'), 'exitCriteria'), 'timeLimit'), 'maxDurationMinutes');
    if ((numberAt(limit) ?? 0) <= total) return [];
    return [
      {
        severity: 'warning',
        path: limit.path,
        expected: `at most the run's own ${Number(total.toFixed(1))} minutes ("timeoutMs")`,
        hint: 'the run ends first',
      },
    ];
  });
}

function idOf(step: Place): string | null {
  return textAt(at(step, 'id'));
}

function actionOf(step: Place): string | null {
  return textAt(at(step, 'action'));
}

function isAgent(step: Place): boolean {
  return AGENT_ACTIONS.has(actionOf(step) ?? '');
}
