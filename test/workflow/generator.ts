import { OPERATORS } from '../../src/workflow/condition.ts';
import { CONTEXT_PATHS } from '../../src/workflow/context-fields.ts';
import { EVENT_NAMES } from '../../src/workflow/event-name.ts';
import { ACTIONS } from '../../src/workflow/step.ts';

export type Random = () => number;
// biome-ignore lint/suspicious/noExplicitAny: tests build and break JSON of any form
export type Json = Record<string, any>;

/** A workflow that is valid by construction, the prompts beside it, and the agents that have a file. */
export interface Made {
  value: Json;
  /** Where the definition stands in `value`. */
  base: string[];
  prompts: Record<string, string>;
  agentIds: string[];
}

/** Numbers from a seed, always the same. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
export const below = (random: Random, most: number): number => Math.floor(random() * most);
const maybe = (random: Random, chance = 0.5): boolean => random() < chance;
const some = (random: Random, made: Json, chance = 0.5): Json => (maybe(random, chance) ? made : {});

export function makeWorkflow(random: Random): Made {
  const agentIds = maybe(random, 0.3) ? ['house-reviewer'] : [];
  const named = [
    { id: 'a1', name: pick(random, ['Senior Developer', 'Backend developer', 'Code Reviewer ']) },
    { id: 'a2', name: 'Technical Writer', ...some(random, { type: pick(random, ['TechWriter', null]) }) },
  ];
  const agents = [...named.map(({ id }) => id), ...agentIds, 'CodeReview'];
  const prompts: Record<string, string> = {};
  const ids = Array.from({ length: 1 + below(random, 6) }, (_, index) => `${pick(random, ['clone', 'plan', 'review', 'Fix'])}-${index}`);
  const steps = ids.map((id, index) => makeStep(random, { id, index, ids, agents, prompts }));
  const definition: Json = {
    name: `Workflow ${below(random, 1000)}`,
    triggers: makeTriggers(random),
    steps,
    ...some(random, { flow: makeFlow(random, ids) }, 0.85),
    ...some(random, { version: '1.0.0' }),
    ...some(random, { priority: pick(random, [1, 50, 100, null]) }),
    ...some(random, { timeoutMs: pick(random, [30_000, 3_600_000, null]) }),
    ...some(random, { statusUpdateMethod: pick(random, ['comment', 'reuse_comment', 'static_comment', null]) }),
    ...some(random, { defaultModelKey: pick(random, ['default', null]) }),
    ...some(random, { somethingOfTheirs: { deep: [1] } }, 0.1),
  };
  return { ...wrap(random, definition, named), prompts, agentIds };
}

function wrap(random: Random, definition: Json, agents: Json[]): Pick<Made, 'value' | 'base'> {
  const kind = below(random, 3);
  if (kind === 0) {
    const workflow = { name: 'W', description: 'd', instructions: [{ description: 'x', action: 'y' }], definition };
    return { value: { _formatVersion: '1.0.0', workflow, refs: { agents } }, base: ['workflow', 'definition'] };
  }
  const agentRefs = Object.fromEntries(agents.map(({ id, name }) => [id, maybe(random) ? name : { name }]));
  if (kind === 1) return { value: { name: 'W', definition, agentRefs }, base: ['definition'] };
  return { value: { ...definition, refs: { agents } }, base: [] };
}

interface StepParts {
  id: string;
  index: number;
  ids: string[];
  agents: string[];
  prompts: Record<string, string>;
}

function makeStep(random: Random, { id, index, ids, agents, prompts }: StepParts): Json {
  const action = pick(random, ACTIONS);
  const text = pick(random, [
    'Do the work of the Senior Developer, the Technical Writer, a1, a2, house-reviewer or CodeReview.',
    'On {{trigger.repository.fullName}}#{{trigger.pullRequest.number}}\n\tby "{{trigger.actor.login}}" {{#if (eq trigger.pullRequest.draft "true")}}draft{{else}}ready{{/if}}',
    `{{#each trigger.pullRequest.labels}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}\n{{json outputs.${ids[0]}}} \\{{literal}} ü ☃ 😀`,
  ]);
  const step: Json = {
    id,
    action,
    params: makeParams(random, action, { agents, before: ids.slice(0, index) }),
    ...some(random, { name: `Step ${index}` }),
    ...some(random, { stepMaxDurationMinutes: pick(random, [1, 30, 1.5, null]) }),
  };
  if (!action.startsWith('agent')) return { ...step, ...some(random, { instruction: null }) };
  if (maybe(random)) return { ...step, instruction: text };
  prompts[id] = text;
  return { ...step, ...some(random, { instruction: null }) };
}

function makeParams(random: Random, action: string, { agents, before }: { agents: string[]; before: string[] }): Json {
  const repository = pick(random, ['acme/app', '{{trigger.repository.fullName}}', before[0] ? `{{outputs.${before[0]}}}` : 'acme/other']);
  switch (action) {
    case 'git.clone':
      return {
        repoFullName: repository,
        ...some(random, { branch: pick(random, ['', '{{trigger.pullRequest.headBranch}}', null]) }),
        ...some(random, { cloneOptions: makeClone(random) }),
      };
    case 'repo.identify':
      return {
        ...some(random, { maxResults: 1 + below(random, 20) }),
        ...some(random, { minConfidence: random() }),
        ...some(random, { identificationHints: 'h' }),
      };
    case 'agent.run':
      return { agentId: pick(random, agents), ...some(random, { agentEngine: pick(random, ['overcut', 'claude', null]) }) };
    case 'agent.session':
      return {
        agentIds: [...new Set([pick(random, agents), pick(random, agents)])],
        goal: 'Goal',
        ...some(random, {
          exitCriteria: {
            ...some(random, { timeLimit: { maxDurationMinutes: pick(random, [0.1, 10, 120]) } }),
            ...some(random, { userSignals: { explicit: ['/done', 'thanks'] } }),
          },
        }),
        ...some(random, { listenToComments: maybe(random) }),
        ...some(random, { keepSessionOpenForComments: maybe(random) }),
        ...some(random, { coordinatorModelKey: null }),
      };
    default:
      return {
        repoFullName: repository,
        workflowId: 'ci.yml',
        ...some(random, { inputs: { a: '{{trigger.actor.login}}' } }),
        ...some(random, { ref: 'main', waitForCompletion: true }),
      };
  }
}

function makeClone(random: Random): Json {
  return {
    ...some(random, { depth: pick(random, [0, 1, 50]) }),
    ...some(random, { filter: { type: pick(random, ['blob:none', 'blob:limit=100M']), ...some(random, { size: '100M' }) } }),
    ...some(random, { singleBranch: true, ignoreCache: false }),
    ...some(random, { sparseCheckout: { enabled: true, paths: ['src/'] }, submodules: { enabled: false, shallow: true } }),
  };
}

function makeFlow(random: Random, ids: string[]): Json[] {
  const edges = ids.map((to, index) => ({
    from: index === 0 ? '' : pick(random, ids.slice(0, index)),
    to,
    condition: makeEdgeCondition(random, ids, index),
  }));
  const more = ids
    .slice(2)
    .filter(() => maybe(random, 0.3))
    .map((to) => ({ from: ids[0], to }));
  const all = [...edges, ...more.filter(({ from, to }) => !edges.some((edge) => edge.from === from && edge.to === to))];
  return all.sort(() => random() - 0.5);
}

function makeEdgeCondition(random: Random, ids: string[], index: number): Json | null {
  if (index === 0 || maybe(random, 0.7)) return null;
  return {
    combinator: 'and',
    rules: [{ field: `outputs.${pick(random, ids.slice(0, index))}.message`, operator: 'contains', value: 'yes' }],
  };
}

function makeTriggers(random: Random): Json[] {
  const events = EVENT_NAMES.filter((name) => name !== 'scheduled');
  const triggers = Array.from({ length: 1 + below(random, 3) }, () => makeTrigger(random, pick(random, events)));
  return maybe(random, 0.2) ? [...triggers, makeTrigger(random, 'scheduled')] : triggers;
}

function makeTrigger(random: Random, event: string): Json {
  const cron = pick(random, ['0 4 * * 1', '*/15 9-17 * jan,JUL mon-fri', '0 0 29 2 *', '@daily', '5,10 0 1-7/2 * 7']);
  const selector = { useForCode: true, namePattern: pick(random, ['', '^backend-.*']), excludePattern: '', useForTickets: false };
  return {
    event,
    ...(event === 'manual'
      ? { slashCommand: { command: pick(random, ['review', 'fix-ci', 'pr_2']), ...some(random, { requireMention: maybe(random) }) } }
      : {}),
    ...(event === 'scheduled'
      ? {
          schedule: {
            cronExpression: cron,
            scheduleContextSettings: pick(random, [{ type: 'Single' }, { type: 'PerRepository', repositorySelector: selector }]),
          },
        }
      : some(random, { schedule: null })),
    ...some(random, { conditions: pick(random, [null, makeCondition(random, 3)]) }),
    ...some(random, { settings: pick(random, [null, { delaySeconds: 60 }, {}]) }),
  };
}

function makeCondition(random: Random, depth: number): Json {
  const rules = Array.from({ length: below(random, 4) }, () =>
    depth > 0 && maybe(random, 0.3) ? makeCondition(random, depth - 1) : makeRule(random),
  );
  return { combinator: pick(random, ['and', 'or']), rules, ...some(random, { not: maybe(random) }, 0.2) };
}

function makeRule(random: Random): Json {
  const operator = pick(random, OPERATORS);
  const value =
    operator === 'matches'
      ? pick(random, ['^feature/.*', '(?i)fix|hot-?fix', '[a-z]+'])
      : pick(random, ['x', '', true, 3, ['bug', 'feature']]);
  return { field: `context.${pick(random, CONTEXT_PATHS)}`, operator, value };
}
