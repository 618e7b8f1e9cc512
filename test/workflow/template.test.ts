import Handlebars from 'handlebars';
import { describe, expect, it } from 'vitest';
import { compileTemplate, isFault } from '../../src/workflow/template.ts';
import { TEMPLATE_FUNCTIONS } from '../../src/workflow/template-function.ts';
import { renderTemplate, renderValue, repositoriesOf, TemplateError } from '../../src/workflow/template-render.ts';

const data = {
  trigger: {
    pullRequest: { number: 7, title: 'A <b> & "c"', draft: false, labels: ['bug', 'p1'], assignees: [], user: { login: 'ann' } },
    repository: { fullName: 'acme/app' },
    matrix: [
      { name: 'a', items: [1, 2] },
      { name: 'b', items: [] },
    ],
    map: { one: 1, two: 2 },
    zero: 0,
    nothing: null,
  },
  outputs: { plan: { message: 'do it' }, 'find-repos': [{ repoFullName: 'acme/app', confidence: 0.9 }], text: 'plain' },
};

describe('a template is filled', () => {
  it.each([
    ['no variables', 'plain } text', 'plain } text'],
    ['a variable', '{{trigger.pullRequest.number}}', '7'],
    ['no HTML escaping', '{{trigger.pullRequest.title}}', 'A <b> & "c"'],
    ['false prints', '{{trigger.pullRequest.draft}}', 'false'],
    ['unknown is empty', '[{{trigger.pullRequest.nope.deeper}}{{nope}}]', '[]'],
    ['a message', '{{outputs.plan.message}}', 'do it'],
    ['an object prints as JSON', '{{outputs.plan}}', '{"message":"do it"}'],
    ['a list prints as JSON', '{{trigger.pullRequest.labels}}', '["bug","p1"]'],
    ['a step id with a hyphen', '{{outputs.find-repos.[0].repoFullName}}', 'acme/app'],
    ['json over lines', '{{json outputs.plan}}', '{\n  "message": "do it"\n}'],
    ['json of nothing', '[{{json outputs.nope}}]', '[]'],
    ['eq by what prints', '{{#if (eq trigger.pullRequest.number "7")}}y{{else}}n{{/if}}', 'y'],
    ['neq', '{{#if (neq trigger.pullRequest.number 7)}}y{{else}}n{{/if}}', 'n'],
    ['gt', '{{#if (gt trigger.pullRequest.number 6)}}y{{/if}}', 'y'],
    ['gt of nothing', '{{#if (gt trigger.none 0)}}y{{else}}n{{/if}}', 'n'],
    ['lte', '{{#if (lte 7 trigger.pullRequest.number)}}y{{/if}}', 'y'],
    ['and, or, not', '{{#if (and (not trigger.pullRequest.draft) (or trigger.none trigger.map))}}y{{/if}}', 'y'],
    ['or gives the value', '{{or trigger.none "main"}}', 'main'],
    ['and gives nothing', '[{{and trigger.none "x"}}]', '[]'],
    ['a dangling prototype', '[{{trigger.constructor}}{{trigger.__proto__}}{{outputs.text.constructor.name}}]', '[]'],
    ['lookup of a prototype', '[{{lookup trigger "constructor"}}{{lookup outputs "__proto__"}}]', '[]'],
    ['a literal', '\\{{trigger.pullRequest.number}}', '{{trigger.pullRequest.number}}'],
    ['a comment', 'a{{! no }}b', 'ab'],
  ])('%s', (_, text, filled) => {
    expect(renderTemplate(text, data)).toBe(filled);
  });

  it.each([
    '{{#if trigger.zero}}y{{else}}n{{/if}}{{#if trigger.zero includeZero=true}}y{{else}}n{{/if}}',
    '{{#unless trigger.pullRequest.assignees}}none{{else}}some{{/unless}}',
    '{{#each trigger.pullRequest.labels}}{{@index}}{{#unless @first}},{{/unless}}{{this}}{{#if @last}}.{{/if}}{{/each}}',
    '{{#each trigger.matrix}}{{name}}:{{#each items}}{{../name}}{{@../index}}{{this}}{{else}}-{{/each}};{{/each}}',
    '{{#each trigger.map}}{{@key}}={{this}} {{/each}}',
    '{{#each trigger.matrix as |row at|}}{{at}}{{row.name}}{{@root.trigger.repository.fullName}}{{#if row.items}}{{../trigger.zero}}{{/if}}{{/each}}',
    '{{#with trigger.pullRequest}}{{number}}{{#with user}}{{login}}{{../number}}{{/with}}{{/with}}{{#with trigger.nothing}}x{{else}}none{{/with}}',
    '{{#trigger.matrix}}{{name}}{{/trigger.matrix}}{{^trigger.nothing}}empty{{/trigger.nothing}}',
    '  {{~#if trigger.map~}}  a  {{~else if trigger.zero}} b {{/if}}\n{{#if trigger.map}}\nline\n{{/if}}\nend',
    '{{lookup trigger.pullRequest.labels 1}}{{lookup trigger.map "two"}}{{trigger.pullRequest.labels.length}}',
    '{{{trigger.pullRequest.title}}}{{&trigger.pullRequest.title}}{{trigger/pullRequest/number}}{{this.trigger.zero}}',
  ])('like Handlebars does: %s', (text) => {
    const theirs = Handlebars.create();
    for (const [name, work] of Object.entries(TEMPLATE_FUNCTIONS)) {
      theirs.registerHelper(name, (...values: unknown[]) => work(...values.slice(0, -1)));
    }
    expect(renderTemplate(text, data)).toBe(theirs.compile(text, { noEscape: true })(data));
  });

  it.each([
    ['one variable keeps its value', '{{outputs.find-repos}}', [{ repoFullName: 'acme/app', confidence: 0.9 }]],
    ['with spaces around', ' {{ outputs.find-repos }} ', [{ repoFullName: 'acme/app', confidence: 0.9 }]],
    ['a mixed text is a text', 'x{{outputs.plan}}', 'x{"message":"do it"}'],
    ['nothing is an empty text', '{{outputs.nope}}', ''],
    ['no template', ' main ', ' main '],
  ])('value: %s', (_, text, value) => {
    expect(renderValue(text, data)).toEqual(value);
  });

  it.each([
    ['a name', 'acme/app', ['acme/app']],
    ['a list', ['a/b', 'c/d', 'a/b'], ['a/b', 'c/d']],
    ['a list of objects', [{ repoFullName: 'a/b', confidence: 1 }], ['a/b']],
    ['one object', { repoFullName: 'a/b' }, ['a/b']],
    ['JSON text', '["a/b"]', ['a/b']],
    ['text that only looks like JSON', '[a/b', ['[a/b']],
    ['nothing', '', null],
    ['an empty list', [], null],
    ['a number among them', ['a/b', 3], null],
  ])('repositories: %s', (_, value, names) => {
    expect(repositoriesOf(value)).toEqual(names);
  });
});

describe('a template is refused with the place', () => {
  it.each([
    ['an unclosed variable', 'line one\nand {{foo bar', 'unexpected|cannot stand|end of the text', 2],
    ['an unclosed block', 'one\n{{#if x}}\nthree', 'end of the text', 3],
    ['a wrong end', 'one\n  {{#each x}}{{/if}}', "each doesn't match if", 2],
    ['an end alone', 'one\ntwo\n{{/if}}', 'closes nothing', 3],
    ['a partial', 'one\n{{> secret}}', 'partial', 2],
    ['a decorator', '{{* dec}}', 'decorator', 1],
    ['log', 'a\n\n{{log "x"}}', 'the helper "log"', 3],
    ['log as an argument', '{{#if (log 1)}}{{/if}}', '\\(log', 1],
    ['an unknown helper', '{{upper trigger.actor.login}}', 'the helper "upper"', 1],
    ['an unknown block', '{{#upper trigger.actor.login}}{{/upper}}', 'the helper "upper"', 1],
    ['a value helper as a block', '{{#eq 1 2}}{{/eq}}', 'not a block', 1],
    ['too few arguments', '{{#if (eq trigger.actor.login)}}{{/if}}', '1', 1],
    ['no argument', '{{#if}}{{/if}}', '0', 1],
    ['a block helper as a variable', 'x {{each a}}', 'outside a block', 1],
  ])('%s', (_, text, found, line) => {
    const result = compileTemplate(text);
    if (!isFault(result)) return expect.fail('it was taken');
    expect(result.found).toMatch(new RegExp(found));
    expect(text.slice(0, result.index).split('\n')).toHaveLength(line);
    expect(() => renderTemplate(text, data)).toThrow(TemplateError);
  });

  it('points at the character', () => {
    const text = 'The repository\n  is {{trigger.repository.fullName}} and {{foo == "x"}} here';
    const result = compileTemplate(text);
    expect(isFault(result) && text.slice(result.index, result.index + 1)).toBe('=');
  });

  it('names its variables with their places', () => {
    const result = compileTemplate(
      '{{a.b}} {{#each c}}{{d}}{{trigger.x}}{{@root.e}}{{#with this as |w|}}{{w.f}}{{../g}}{{/with}}{{/each}}{{#if (eq h 1)}}{{i}}{{/if}}',
    );
    expect(!isFault(result) && result.variables.map((v) => [v.parts.join('.'), v.shadowed])).toEqual([
      ['a.b', false],
      ['c', false],
      ['trigger.x', true],
      ['e', false],
      ['h', false],
      ['i', false],
    ]);
  });
});

describe('a hostile template', () => {
  it('ends at its bounds instead of running for ever', () => {
    const big = { trigger: { list: Array.from({ length: 1000 }, () => 0) }, outputs: {} };
    const nested = `${'{{#each @root.trigger.list}}'.repeat(6)}x${'{{/each}}'.repeat(6)}`;
    expect(() => renderTemplate(nested, big)).toThrow(/steps/);
    const long = { trigger: { list: Array.from({ length: 1000 }, () => 'y'.repeat(10_000)) }, outputs: {} };
    expect(() => renderTemplate('{{#each trigger.list}}{{this}}{{/each}}', long)).toThrow(/characters/);
    expect(() => renderTemplate('{{#each trigger.list}}{{#if (eq (json @root.trigger.list) 1)}}{{/if}}{{/each}}', long)).toThrow(
      /characters/,
    );
  });

  it('never overflows the stack and is read in reasonable time', () => {
    for (const text of [
      '{{#if a}}'.repeat(50_000),
      '{{a}}'.repeat(50_000),
      `{{#if a}}${'{{else if b}}'.repeat(5000)}`,
      '{{a}}'.repeat(4900),
      '{'.repeat(200_000),
      `{{#if ${'('.repeat(20_000)}`,
      '{{!'.repeat(50_000),
      '\\{{'.repeat(50_000),
    ]) {
      const before = Date.now();
      compileTemplate(text);
      expect(Date.now() - before).toBeLessThan(3000);
    }
  });

  it('runs no function and reaches no prototype', () => {
    let ran = 0;
    const trigger = { call: () => (ran += 1), nested: { toString: () => String((ran += 1)) } };
    const text =
      '{{call}}{{trigger.call}}{{#each trigger}}{{this}}{{/each}}{{lookup (lookup trigger "call") "constructor"}}{{#with (lookup trigger "constructor")}}{{name}}{{/with}}';
    expect(renderTemplate(text, { trigger, outputs: {} })).not.toContain('Function');
    expect(ran).toBe(0);
  });
});
