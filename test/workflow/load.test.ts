import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWorkflow } from '../../src/workflow/load.ts';

const PLAYBOOKS = resolve(import.meta.dirname, '../../../shared/playbooks');
const RUN = { id: 'work', action: 'agent.run', params: { agentId: 'CodeReview' }, instruction: 'Do it.' };
const bare = (change: object = {}) => ({
  name: 'W',
  triggers: [{ event: 'mention' }],
  steps: [RUN],
  flow: [{ from: '', to: 'work' }],
  ...change,
});

function load(value: unknown, extra: { prompts?: Record<string, string>; agentIds?: string[] } = {}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return loadWorkflow({ path: '.overcut/workflow.json', text, prompts: extra.prompts ?? {}, agentIds: extra.agentIds ?? [] });
}

function told(value: unknown, extra: Parameters<typeof load>[1] = {}): string[] {
  return load(value, extra).problems.map(
    (p) => `${p.severity} ${p.file.replace('.overcut/', '')}:${p.line}:${p.column} ${p.path}: ${p.message}`,
  );
}

describe('a workflow is loaded', () => {
  it('with its defaults', () => {
    const { workflow, problems } = load({
      ...bare(),
      steps: [
        { ...RUN, name: null },
        { id: 'talk', action: 'agent.session', params: { agentIds: ['CodeReview'], goal: '' }, instruction: 'CodeReview' },
      ],
      flow: null,
    });
    expect(problems.map(({ severity, path }) => [severity, path])).toEqual([['warning', '$.flow']]);
    expect(workflow).toEqual({
      path: '.overcut/workflow.json',
      name: 'W',
      description: '',
      version: '1.0.0',
      priority: 5,
      timeoutMs: 3_600_000,
      statusUpdateMethod: 'comment',
      defaultModelKey: null,
      triggers: [
        {
          event: 'mention',
          conditions: null,
          slashCommand: null,
          schedule: null,
          customEvent: null,
          settings: { delaySeconds: 0, allowOutsiders: false },
        },
      ],
      steps: [
        {
          id: 'work',
          name: 'work',
          action: 'agent.run',
          stepMaxDurationMinutes: 30,
          params: { agentId: 'CodeReview', agentEngine: 'overcut' },
          instruction: 'Do it.',
        },
        {
          id: 'talk',
          name: 'talk',
          action: 'agent.session',
          stepMaxDurationMinutes: 15,
          instruction: 'CodeReview',
          params: {
            agentIds: ['CodeReview'],
            goal: '',
            exitCriteria: { timeLimit: { maxDurationMinutes: 10 }, userSignals: { explicit: [] } },
            listenToComments: false,
            keepSessionOpenForComments: false,
            agentEngine: 'overcut',
            coordinatorModelKey: null,
            maxDelegations: null,
          },
        },
      ],
      flow: [
        { from: '', to: 'work', condition: null },
        { from: 'work', to: 'talk', condition: null },
      ],
      agents: [],
      extra: {},
    });
  });

  it.each([
    ['absent', undefined, 3_600_000],
    ['null', null, null],
    ['a number', 30_000, 30_000],
  ])('timeoutMs %s', (_, timeoutMs, wanted) => {
    expect(load(bare({ timeoutMs })).workflow?.timeoutMs).toBe(wanted);
  });

  it('a step gets its session limit + 5, else 30, else what it says', () => {
    const session = (more: object) => ({
      id: 'work',
      action: 'agent.session',
      instruction: 'x',
      params: { agentIds: ['CodeReview'], goal: 'g', exitCriteria: { timeLimit: { maxDurationMinutes: 0.5 } } },
      ...more,
    });
    expect(load(bare({ steps: [session({})] })).workflow?.steps[0]?.stepMaxDurationMinutes).toBe(5.5);
    expect(load(bare({ steps: [session({ stepMaxDurationMinutes: 2 })] })).workflow?.steps[0]?.stepMaxDurationMinutes).toBe(2);
    expect(load(bare({ steps: [{ id: 'work', action: 'repo.identify' }] })).workflow?.steps[0]?.stepMaxDurationMinutes).toBe(30);
  });

  it('from JSON with comments, trailing commas and a byte order mark', () => {
    const text = `\uFEFF// a workflow\n${JSON.stringify(bare()).replace('}]', '},] /* end */')}`;
    expect(load(text).problems).toEqual([]);
  });

  it('with prompts from files; one that stands in the step wins, an empty one does not', () => {
    const steps = (instruction: unknown) => bare({ steps: [{ ...RUN, instruction }] });
    for (const absent of [null, undefined, '', '  ']) {
      expect(load(steps(absent), { prompts: { work: 'From the file.' } }).workflow?.steps[0]?.instruction).toBe('From the file.');
    }
    expect(load(steps('Own.'), { prompts: { work: 'From the file.' } }).workflow?.steps[0]?.instruction).toBe('Own.');
    expect(told(steps(null), { prompts: { constructor: 'x', other: 'x' } })).toEqual(
      [
        'error workflow.json:14:23 $.steps[0].instruction: expected an instruction, here or in the file .overcut/work.md, found neither',
      ].map((line) => expect.stringContaining(line.slice(line.indexOf('$')))),
    );
  });

  it('in the third shape: agents by name, the event’s repository, entries without an edge', () => {
    const { workflow, problems } = load(
      {
        name: 'Outer',
        description: 'd',
        definition: {
          triggers: [{ event: 'mention' }],
          steps: [
            { id: 'clone', action: 'git.clone' },
            { id: 'other', action: 'git.clone', params: {} },
            { id: 'work', action: 'agent.run', params: { agent: 'dev' }, instruction: 'x' },
            { id: 'talk', action: 'agent.session', params: { agents: ['dev', 'own'], goal: 'g' }, instruction: 'dev and own' },
          ],
          flow: [
            { from: 'clone', to: 'work' },
            { from: 'other', to: 'work' },
            { from: 'work', to: 'talk' },
          ],
        },
        agentRefs: { dev: 'Senior Developer', own: { id: 'house', type: 'CodeReview' } },
      },
      { agentIds: ['house'] },
    );
    expect(problems).toEqual([]);
    expect(workflow?.name).toBe('Outer');
    expect(workflow?.flow.slice(0, 2)).toEqual([
      { from: '', to: 'clone', condition: null },
      { from: '', to: 'other', condition: null },
    ]);
    expect(
      workflow?.steps.map(({ params }) =>
        'repoFullName' in params ? params.repoFullName : 'agentIds' in params ? params.agentIds : 'agentId' in params ? params.agentId : '',
      ),
    ).toEqual(['{{trigger.repository.fullName}}', '{{trigger.repository.fullName}}', 'dev', ['dev', 'house']]);
    expect(workflow?.agents).toEqual([
      { id: 'dev', name: 'Senior Developer', type: null },
      { id: 'house', name: 'house', type: 'CodeReview' },
    ]);
  });

  it('keeps what it does not know, and says so', () => {
    const { workflow, problems } = load({ ...bare(), futureThing: { a: [1] }, steps: [{ ...RUN, parms: 1 }] });
    expect(workflow?.extra).toEqual({ '$.futureThing': { a: [1] }, '$.steps[0].parms': 1 });
    expect(problems.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      expect.stringMatching(/^warning: .*did you mean "params"/),
      expect.stringMatching(/^warning: .*the unknown key "futureThing"/),
    ]);
  });

  it('and survives JSON, whatever keys it has', () => {
    const { workflow } = load(
      '{"name":"W","triggers":[{"event":"mention"}],"steps":[{"id":"constructor","action":"repo.identify","params":{"__proto__":{"x":1},"toString":1}}],"constructor":1,"__proto__":{"polluted":1},"flow":[{"from":"","to":"constructor"}]}',
    );
    expect(workflow).not.toBeNull();
    expect(JSON.parse(JSON.stringify(workflow))).toEqual(workflow);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('mistakes', () => {
  it('are told all at once, each with its line and column', () => {
    const text = `{
  "name": "W",
  "triggers": [{ "event": "pull_request_opend" }],
  "steps": [
    { "id": "a", "action": "agent.run", "params": { "agentId": "nobody" }, "instruction": "one\\n{{#if trigger.issue.title}}" },
    { "id": "b", "action": "git.clone", "params": {} },
    { "id": "b", "action": "repo.identify", "params": { "maxResults": 50 } }
  ],
  "flow": [{ "from": "", "to": "a" }, { "from": "a", "to": "b" }, { "from": "b", "to": "a" }],
  "priority": "high"
}`;
    expect(told(text)).toEqual([
      expect.stringMatching(
        /^error workflow.json:3:27 \$\.triggers\[0\]\.event: expected one of .*, found "pull_request_opend" \(did you mean "pull_request_opened"\?\)$/,
      ),
      expect.stringMatching(
        /^error workflow.json:5:64 \$\.steps\[0\]\.params\.agentId: expected an agent that exists, found "nobody" \(there are .*base types: SeniorDeveloper/,
      ),
      expect.stringMatching(
        /^error workflow.json:5:\d+ \$\.steps\[0\]\.instruction: expected a template that compiles, found the end of the text/,
      ),
      expect.stringMatching(
        /^error workflow.json:6:51 \$\.steps\[1\]\.params\.repoFullName: expected the repository to clone, found nothing/,
      ),
      expect.stringMatching(/^error workflow.json:7:13 \$\.steps\[2\]\.id: .*found "b" again \(steps\[1\] has it already\)$/),
      expect.stringMatching(/^error workflow.json:7:71 \$\.steps\[2\]\.params\.maxResults: expected a number of at most 20, found 50$/),
      expect.stringMatching(/^error workflow.json:9:67 \$\.flow\[2\]: .*found the cycle a -> b -> a/),
      expect.stringMatching(/^error workflow.json:10:15 \$\.priority: expected a number, found "high"$/),
    ]);
  });

  it('point into a template, behind escapes', () => {
    const text = JSON.stringify(bare({ steps: [{ ...RUN, instruction: 'ä\n\t"q" 😀 {{upper x}}' }] }));
    const [problem] = load(text).problems;
    expect(text.slice((problem?.column ?? 0) - 1).startsWith('{{upper')).toBe(true);
  });

  it.each<[string, object, RegExp]>([
    [
      'custom_event',
      { triggers: [{ event: 'custom_event', customEvent: { name: 'x' } }] },
      /event that can happen here, found "custom_event" \(custom_event is not supported/,
    ],
    ['a bare manual', { triggers: [{ event: 'manual' }] }, /slashCommand: expected \{ "command": "<name>" \}.*fill in the word/],
    [
      'a left-over',
      { triggers: [{ event: 'manual', slashCommand: { TODO: 'Choose a command' } }] },
      /your own value for "slashCommand".*its author asks: "Choose a command"/,
    ],
    ['a left-over in a step', { steps: [{ ...RUN, params: { agentId: { todo: '' } } }] }, /your own value for "agentId"/],
    [
      'a second schedule',
      { triggers: [1, 2].map(() => ({ event: 'scheduled', schedule: { cronExpression: '@daily' } })) },
      /triggers\[1\]: expected at most one scheduled trigger/,
    ],
    [
      'no agents',
      { steps: [{ ...RUN, action: 'agent.session', params: { agentIds: [], goal: 'g' } }] },
      /agentIds: expected a list of at least one agent id/,
    ],
    [
      'an output of a step that does not exist, in the flow',
      {
        flow: [
          {
            from: '',
            to: 'work',
            condition: { combinator: 'and', rules: [{ field: 'outputs.wrk.message', operator: 'equals', value: 'x' }] },
          },
        ],
      },
      /did you mean "outputs\.work"/,
    ],
  ])('%s', (_, change, wanted) => {
    const { workflow, problems } = load(bare(change));
    expect(workflow).toBeNull();
    expect(problems.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringMatching(wanted),
    ]);
  });

  it.each<[string, object, RegExp]>([
    [
      'an unknown field of the event',
      {
        triggers: [
          {
            event: 'mention',
            conditions: { combinator: 'and', rules: [{ field: 'context.pullRequest.drafts', operator: 'equals', value: 'x' }] },
          },
        ],
      },
      /did you mean "context\.pullRequest\.draft"/,
    ],
    [
      'an unknown variable',
      { steps: [{ ...RUN, instruction: '{{trigger.pullRequest.titel}}' }] },
      /did you mean \{\{trigger\.pullRequest\.title\}\}/,
    ],
    [
      'a variable without its root',
      { steps: [{ ...RUN, instruction: '{{pullRequest.title}}' }] },
      /did you mean \{\{trigger\.pullRequest\.title\}\}/,
    ],
    ['an output of no step', { steps: [{ ...RUN, instruction: '{{outputs.wrk.message}}' }] }, /did you mean \{\{outputs\.work\}\}/],
    [
      'an output of a later step',
      { steps: [{ ...RUN, instruction: '{{outputs.work.message}}' }] },
      /the flow does not lead from "work" to here/,
    ],
    [
      'signals that nobody hears',
      {
        steps: [
          {
            ...RUN,
            action: 'agent.session',
            params: { agentIds: ['CodeReview'], goal: 'CodeReview', exitCriteria: { userSignals: { explicit: ['/done'] } } },
            instruction: 'CodeReview',
          },
        ],
      },
      /signals that no comment can reach/,
    ],
    [
      'a limit over its step',
      {
        steps: [
          {
            ...RUN,
            action: 'agent.session',
            stepMaxDurationMinutes: 5,
            params: { agentIds: ['CodeReview'], goal: '', exitCriteria: { timeLimit: { maxDurationMinutes: 6 } } },
            instruction: 'CodeReview',
          },
        ],
      },
      /at most the step's own 5 minutes/,
    ],
    [
      'a limit over its run',
      {
        timeoutMs: 300_000,
        steps: [
          {
            ...RUN,
            action: 'agent.session',
            params: { agentIds: ['CodeReview'], goal: '', exitCriteria: { timeLimit: { maxDurationMinutes: 6 } } },
            instruction: 'CodeReview',
          },
        ],
      },
      /at most the run's own 5 minutes/,
    ],
    [
      'an agent that nobody names',
      { steps: [{ ...RUN, action: 'agent.session', params: { agentIds: ['TechWriter'], goal: '' } }] },
      /an agent that an instruction names/,
    ],
    [
      'a slash command on another event',
      { triggers: [{ event: 'mention', slashCommand: { command: 'x' } }] },
      /only "manual" has a slash command/,
    ],
    ['a later version', { version: '1.1.0' }, /version of the format/],
    ['the same edge twice', { flow: [1, 2].map(() => ({ from: '', to: 'work' })) }, /each edge once/],
  ])('%s is a warning', (_, change, wanted) => {
    const { workflow, problems } = load(bare(change));
    expect(workflow).not.toBeNull();
    expect(problems.map(({ severity, message }) => `${severity} ${message}`)).toEqual([expect.stringMatching(wanted)]);
    expect(problems[0]?.severity).toBe('warning');
  });

  it('of a prompt file stand in that file', () => {
    expect(told(bare({ steps: [{ ...RUN, instruction: null }] }), { prompts: { work: 'one\ntwo {{trigger.nope}}\n{{/if}}' } })).toEqual([
      expect.stringMatching(/^error work\.md:3:1 \$: expected a template that compiles/),
    ]);
  });

  it('of a file that is no workflow are told too', () => {
    expect(told('')).toEqual([expect.stringContaining('expected a value, found the end of the file')]);
    expect(told('[1]')).toEqual([expect.stringContaining('expected an object: a workflow, found an array of 1')]);
    expect(told('{"a":1')).toHaveLength(1);
    expect(told(`${'['.repeat(100_000)}`)).toEqual([expect.stringContaining('levels of nesting')]);
    expect(told(`"${'x'.repeat(3_000_000)}"`)).toEqual([expect.stringContaining('at most 1048576 characters')]);
    expect(told('{}').length).toBeGreaterThan(2);
    expect(told('{"workflow":{"name":"x"}}')).toEqual([
      expect.stringMatching(/\$\.workflow\.definition: expected an object, found nothing/),
    ]);
    expect(told('{"workflow":5}').some((line) => line.includes('$.workflow: expected an object, found 5'))).toBe(true);
  });
});

describe.skipIf(!existsSync(PLAYBOOKS))('published playbooks (skipped where ../shared/playbooks is absent)', () => {
  const names = existsSync(PLAYBOOKS) ? readdirSync(PLAYBOOKS, { withFileTypes: true }).filter((entry) => entry.isDirectory()) : [];
  it.each(names.map(({ name }) => name))('%s loads unchanged', (name) => {
    const text = readFileSync(join(PLAYBOOKS, name, 'workflow.json'), 'utf8');
    const { workflow, problems } = loadWorkflow({ path: `${name}/workflow.json`, text, prompts: {} });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { definition } = JSON.parse(text).workflow;
    expect(workflow?.steps.map(({ id }) => id)).toEqual(definition.steps.map(({ id }: { id: string }) => id));
    expect(workflow?.steps.map(({ instruction }) => instruction)).toEqual(
      definition.steps.map(({ instruction }: { instruction: string | null }) => instruction),
    );
    expect(workflow?.timeoutMs).toBe(definition.timeoutMs);
    expect(workflow?.extra).toEqual({});
  });
});

describe('hostile workflows', () => {
  const many = (count: number, piece: (k: number) => unknown) => Array.from({ length: count }, (_, k) => piece(k));
  it.each<[string, () => object]>([
    ['too many steps', () => bare({ steps: many(20_000, (k) => ({ id: `s${k}`, action: 'repo.identify' })) })],
    ['too many edges', () => bare({ flow: many(20_000, (k) => ({ from: `s${k}`, to: 'work' })) })],
    [
      'as many of each as may be',
      () =>
        bare({
          steps: many(300, (k) => ({ ...RUN, id: `s${k}`, instruction: `{{outputs.s${k + 1}.message}}` })),
          flow: many(3000, (k) => ({ from: `s${k % 300}`, to: `s${(k * 7) % 300}` })),
        }),
    ],
    [
      'rules on fields that are none',
      () =>
        bare({
          triggers: [
            {
              event: 'mention',
              conditions: {
                combinator: 'or',
                rules: many(3000, (k) => ({ field: `context.pullRequest.titel${k}`, operator: 'matches', value: `(${k}` })),
              },
            },
          ],
        }),
    ],
    ['unknown keys', () => bare(Object.fromEntries(many(30_000, (k) => [`triggerz${k}`, 1]) as [string, number][]))],
    ['variables that are none', () => bare({ steps: [{ ...RUN, instruction: '{{trigger.pullRequest.titel}}'.repeat(4900) }] })],
    [
      'agents that are none',
      () =>
        bare({ steps: [{ ...RUN, action: 'agent.session', params: { agentIds: many(20_000, (k) => `SeniorDevelopr${k}`), goal: '' } }] }),
    ],
  ])('%s are answered in seconds', (_, make) => {
    const text = JSON.stringify(make());
    const before = process.cpuUsage();
    load(text);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(15_000);
  });
});
