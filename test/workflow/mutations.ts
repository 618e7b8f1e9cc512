import { below, type Json, type Made, pick, type Random } from './generator.ts';

/** A text that is invalid by construction. `marker` stands on the faulty line, where the fault is something that stands there; `path` is where it has to be reported. */
export interface Mutant {
  text: string;
  path: string;
  marker?: string;
}

type Change = (holder: Json) => (string | number)[];
type Mutation = (made: Made, random: Random) => Mutant | null;

const MARK = 'MUTANT7';

function definitionOf(made: Made): Json {
  return made.base.reduce<Json>((value, key) => value[key], made.value);
}

function write(made: Made, path: (string | number)[], marker?: string): Mutant {
  const full = [...made.base, ...path].reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${part}`),
    '$',
  );
  return { text: JSON.stringify(made.value, null, 2), path: full, ...(marker === undefined ? {} : { marker }) };
}

function stepWith(made: Made, random: Random, actions: string[]): { step: Json; index: number } | null {
  const all = (definitionOf(made).steps as Json[])
    .map((step, index) => ({ step, index }))
    .filter(({ step }) => actions.includes(step.action));
  return all.length === 0 ? null : pick(random, all);
}

function onStep(actions: string[], change: Change, marker?: string): Mutation {
  return (made, random) => {
    const found = stepWith(made, random, actions);
    if (!found) return null;
    return write(made, ['steps', found.index, ...change(found.step)], marker);
  };
}

const ALL = ['git.clone', 'repo.identify', 'agent.run', 'agent.session', 'ci.executeWorkflow'];
const AGENTS = ['agent.run', 'agent.session'];

function onTrigger(change: Change, marker?: string): Mutation {
  return (made, random) => {
    const triggers = definitionOf(made).triggers as Json[];
    const index = below(random, triggers.length);
    return write(made, ['triggers', index, ...change(triggers[index] as Json)], marker);
  };
}

function onDefinition(change: Change, marker?: string): Mutation {
  return (made) => write(made, change(definitionOf(made)), marker);
}

/** Sets the value at a path of the holder, making what lies between. */
function set(path: (string | number)[], value: unknown): Change {
  return (holder) => {
    const last = path.at(-1) ?? '';
    const place = path.slice(0, -1).reduce<Json>((at, key) => {
      at[key] ??= {};
      return at[key];
    }, holder);
    place[last] = value;
    return path;
  };
}

function drop(path: (string | number)[]): Change {
  return (holder) => {
    const place = path.slice(0, -1).reduce<Json>((at, key) => at[key], holder);
    delete place[path.at(-1) ?? ''];
    return path;
  };
}

/** Adds to the end of a list. */
function push(path: string[], value: unknown): Change {
  return (holder) => {
    const list = path.reduce<Json>((at, key) => at[key], holder) as unknown[];
    list.push(value);
    return [...path, list.length - 1];
  };
}

/** Several changes; the last says where the fault is. */
function all(...changes: Change[]): Change {
  return (holder) => changes.map((change) => change(holder)).at(-1) ?? [];
}

/** An edge after a flow through all steps in order. */
function edge(from: (d: Json) => string, to: (d: Json) => string, at: string[]): Change {
  return (d) => {
    d.flow = [...linearFlow(d), { from: from(d), to: to(d), condition: null }];
    return ['flow', d.steps.length, ...at];
  };
}

/** A further step in a flow that goes through the others. */
function stepBeside(id: (d: Json) => string): Change {
  return (d) => {
    d.flow = linearFlow(d);
    d.steps.push({ id: id(d), action: 'repo.identify', params: {} });
    return ['steps', d.steps.length - 1, 'id'];
  };
}

function withSchedule(schedule: unknown, path: string[] = []): Change {
  return all(set(['event'], 'scheduled'), set(['schedule'], schedule), () => ['schedule', ...path]);
}

function withRule(rule: Json, key: string): Mutation {
  const rules = [{ field: 'context.actor.login', operator: 'equals', value: 'x' }, rule];
  return onTrigger(
    all(set(['conditions'], { combinator: 'and', rules }), () => ['conditions', 'rules', 1, key]),
    MARK,
  );
}

function withInstruction(text: string): Mutation {
  return onStep(AGENTS, set(['instruction'], `first line ${MARK} {{trigger.actor.login}}\n${text}`), MARK);
}

function linearFlow(definition: Json): Json[] {
  const ids = (definition.steps as Json[]).map(({ id }) => id);
  return ids.map((to, index) => ({ from: index === 0 ? '' : ids[index - 1], to, condition: null }));
}

const broken = (change: (text: string, random: Random) => string): Mutation => {
  return (made, random) => ({ text: change(JSON.stringify(made.value, null, 2), random), path: '$' });
};

/** Kinds of mistakes, each made in every place of its list. */
export const MUTATIONS: Record<string, Mutation[]> = {
  'missing field': [
    (made) => {
      delete definitionOf(made).name;
      delete made.value.name;
      if (made.value.workflow) delete made.value.workflow.name;
      return write(made, ['name']);
    },
    ...[['triggers'], ['steps']].map((path) => onDefinition(drop(path))),
    ...[['id'], ['action']].map((path) => onStep(ALL, drop(path))),
    ...[['params'], ['params', 'goal'], ['params', 'agentIds']].map((path) => onStep(['agent.session'], drop(path))),
    ...[['params'], ['params', 'agentId']].map((path) => onStep(['agent.run'], drop(path))),
    ...[['params'], ['params', 'workflowId'], ['params', 'repoFullName']].map((path) => onStep(['ci.executeWorkflow'], drop(path))),
    onTrigger(drop(['event'])),
    onTrigger(all(set(['conditions'], { combinator: 'and', rules: [] }), drop(['conditions', 'rules']))),
  ],
  'missing instruction': [
    (made, random) => {
      const found = stepWith(made, random, AGENTS);
      if (!found) return null;
      delete found.step.instruction;
      delete made.prompts[found.step.id];
      return write(made, ['steps', found.index, 'instruction']);
    },
  ],
  'wrong type': [
    ...[5, true, ['x'], { a: 1 }].map((value) => onDefinition(set(['name'], value))),
    ...['1', true, {}].map((value) => onDefinition(set(['priority'], value))),
    ...['60000', false].map((value) => onDefinition(set(['timeoutMs'], value))),
    ...['x', {}, 7, null].map((value) => onDefinition(set(['triggers'], value))),
    ...['x', {}, 7].map((value) => onDefinition(set(['steps'], value))),
    ...['x', {}, 7].map((value) => onDefinition(set(['flow'], value))),
    ...['step', null, 5].map((value) => onDefinition(push(['steps'], value))),
    ...[null, 'manual', []].map((value) => onDefinition(push(['triggers'], value))),
    ...[5, {}, []].map((value) => onStep(ALL, set(['id'], value))),
    onStep(ALL, set(['name'], {})),
    onStep(ALL, set(['params'], 'none')),
    onStep(AGENTS, set(['instruction'], 5)),
    onStep(['agent.session'], set(['params', 'listenToComments'], 'yes')),
    onStep(['agent.session'], set(['params', 'agentIds'], 'a1')),
    onStep(['agent.session'], set(['params', 'exitCriteria', 'userSignals', 'explicit'], '/done')),
    onStep(['git.clone'], set(['params', 'cloneOptions', 'depth'], '1')),
    onStep(['ci.executeWorkflow'], set(['params', 'inputs', 'a'], 1)),
    onTrigger(set(['conditions'], 'always')),
    onTrigger(all(set(['conditions'], { combinator: 'and', rules: {} }), () => ['conditions', 'rules'])),
    withRule({ field: 'context.actor.login', operator: 'equals', value: { [MARK]: 1 } }, 'value'),
    withRule({ field: 5, operator: 'equals', value: MARK }, 'field'),
  ].map((mutation) => withoutMarker(mutation)),
  'unknown agent': [
    onStep(['agent.run'], set(['params', 'agentId'], MARK), MARK),
    onStep(['agent.session'], push(['params', 'agentIds'], MARK), MARK),
    onStep(['agent.session'], set(['params', 'agentIds'], [])),
  ],
  cycle: [
    onDefinition(
      edge(
        (d) => d.steps.at(-1).id,
        (d) => d.steps[0].id,
        [],
      ),
    ),
    onDefinition(
      edge(
        (d) => d.steps[0].id,
        (d) => d.steps[0].id,
        [],
      ),
    ),
  ],
  'unknown step': [
    onDefinition(
      edge(
        (d) => d.steps[0].id,
        () => MARK,
        ['to'],
      ),
      MARK,
    ),
    onDefinition(
      edge(
        () => MARK,
        (d) => d.steps[0].id,
        ['from'],
      ),
      MARK,
    ),
    onDefinition((d) => {
      d.flow = linearFlow(d);
      d.flow[0].condition = { combinator: 'and', rules: [{ field: `outputs.${MARK}.message`, operator: 'equals', value: 'x' }] };
      return ['flow', 0, 'condition', 'rules', 0, 'field'];
    }, MARK),
  ],
  unreachable: [
    onDefinition(
      stepBeside(() => MARK),
      `"${MARK}"`,
    ),
  ],
  'duplicate id': [onDefinition(stepBeside((d) => d.steps[0].id))],
  'bad id': ['a b', 'ä', '', 'a/b', 'a_b'].map((id) => onStep(ALL, set(['id'], id))),
  'bad template': [
    ...['{{#if trigger.x}}never closed', '{{trigger.x', '{{/if}}', '{{#each a}}{{/if}}', '{{> partial}}', '{{log "x"}}'].map(
      withInstruction,
    ),
    ...['{{foo bar}}', '{{#if (eq 1)}}{{/if}}', '{{* deco}}', '{{a == b}}', '{{#if}}{{/if}}'].map(withInstruction),
    onStep(['git.clone'], set(['params', 'repoFullName'], `${MARK} {{trigger.`), MARK),
    onStep(['git.clone'], set(['params', 'branch'], `${MARK} {{#if x}}`), MARK),
    onStep(['agent.session'], set(['params', 'goal'], `${MARK} {{upper x}}`), MARK),
  ],
  'bad regex': [
    ...['(', '[a', '(?=x)', '(?<!x)y', '(a)\\1', 'a{2000}', '*'].map((value) => {
      return withRule({ field: 'context.actor.login', operator: 'matches', value: `${value}${MARK}` }, 'value');
    }),
    onTrigger(
      withSchedule(
        {
          cronExpression: '0 0 * * *',
          scheduleContextSettings: { type: 'PerRepository', repositorySelector: { namePattern: `(${MARK}` } },
        },
        ['scheduleContextSettings', 'repositorySelector', 'namePattern'],
      ),
      MARK,
    ),
  ],
  'bad JSON': [
    broken((text, random) => text.slice(0, 1 + below(random, text.length - 2))),
    broken((text) => text.replace(':', '=')),
    broken((text) => text.replace(/"(\w+)":/, "'$1':")),
    broken((text) => `${text}}`),
    broken((text) => text.replace(/"(\w+)": "/, '"$1": "\u0001')),
    broken((text) => text.replace('": "', '": "\\q')),
    ...['', '[]', 'null', '"workflow"', '{', '\u0000'].map((text) => broken(() => text)),
    broken((text) => text.replace('[', '[,')),
    broken((text) => `${'['.repeat(5000)}${text}`),
  ],
  'bad enum': [
    onTrigger(set(['event'], `pull_request_${MARK}`), MARK),
    ...['custom_event', 'slash_command', 'Manual'].map((event) => onTrigger(set(['event'], event))),
    onStep(ALL, set(['action'], `agent.${MARK}`), MARK),
    onStep(AGENTS, set(['params', 'agentEngine'], MARK), MARK),
    onDefinition(set(['statusUpdateMethod'], MARK), MARK),
    onDefinition(set(['version'], '2.0.0')),
    withRule({ field: 'context.actor.login', operator: MARK, value: 'x' }, 'operator'),
    onTrigger(
      all(set(['conditions'], { combinator: MARK, rules: [] }), () => ['conditions', 'combinator']),
      MARK,
    ),
    withRule({ field: `event.${MARK}`, operator: 'equals', value: 'x' }, 'field'),
    onStep(['git.clone'], set(['params', 'cloneOptions', 'filter', 'type'], MARK), MARK),
  ],
  'out of range': [
    ...[0, 101, -1, 1.5].map((value) => onDefinition(set(['priority'], value))),
    ...[29_999, 0, -5].map((value) => onDefinition(set(['timeoutMs'], value))),
    ...[0, 0.5, -1].map((value) => onStep(ALL, set(['stepMaxDurationMinutes'], value))),
    ...[0, 21, 1.5].map((value) => onStep(['repo.identify'], set(['params', 'maxResults'], value))),
    ...[-0.1, 1.1].map((value) => onStep(['repo.identify'], set(['params', 'minConfidence'], value))),
    ...[-1, 1.5].map((value) => onStep(['git.clone'], set(['params', 'cloneOptions', 'depth'], value))),
    onTrigger(all(set(['settings'], {}), set(['settings', 'delaySeconds'], -1))),
    onStep(['agent.session'], set(['params', 'exitCriteria', 'timeLimit', 'maxDurationMinutes'], 0)),
    onDefinition(set(['steps'], [])),
    onDefinition(set(['triggers'], [])),
  ],
  'bad trigger': [
    onTrigger(all(set(['event'], 'manual'), drop(['slashCommand']))),
    onTrigger(all(set(['event'], 'manual'), set(['slashCommand'], null))),
    onTrigger(all(set(['event'], 'manual'), set(['slashCommand'], {}), set(['slashCommand', 'command'], `two ${MARK}`)), MARK),
    onTrigger(all(set(['event'], 'scheduled'), drop(['schedule']))),
    ...['* * *', '60 * * * *', '* * 30 2 *', 'never', '*/0 * * * *', '* 5-2 * * *', '@often', '* * * * * *'].map((cronExpression) => {
      return onTrigger(withSchedule({ cronExpression }, ['cronExpression']));
    }),
    onDefinition(
      all(
        set(['triggers'], [{ event: 'scheduled', schedule: { cronExpression: '@daily' } }]),
        push(['triggers'], { event: 'scheduled', schedule: { cronExpression: '@weekly' } }),
      ),
    ),
  ],
  'left-over': [
    onStep(ALL, set(['params'], { TODO: `fill in ${MARK}` })),
    onTrigger(all(set(['event'], 'manual'), set(['slashCommand'], { TODO: MARK }))),
    onStep(['agent.run'], set(['params', 'agentId'], { TODO: MARK })),
    onStep(['agent.run'], set(['params', 'agentId'], `TODO ${MARK}`), MARK),
    onDefinition(all(set(['triggers'], [{ TODO: MARK }]), () => ['triggers', 0])),
  ],
};

/** Of some wrong types the marker is a key or stands elsewhere: only their path is compared. */
function withoutMarker(mutation: Mutation): Mutation {
  return (made, random) => {
    const mutant = mutation(made, random);
    return mutant ? { text: mutant.text, path: mutant.path } : null;
  };
}
