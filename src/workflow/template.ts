import Handlebars from 'handlebars';
import { LRUCache } from 'lru-cache';
import { TEMPLATE_FUNCTIONS } from './template-function.ts';

const LONGEST = 512 * 1024;
const MOST_TAGS = 5000;
const MOST_ELSES = 500;
const DEEPEST = 50;
const LONGEST_TAG = 5000;
const BLOCKS = ['if', 'unless', 'each', 'with'];
const HELPERS = [...BLOCKS, 'lookup', ...Object.keys(TEMPLATE_FUNCTIONS)];

/**
 * A template that was read: its statements, and the variables it names from the top (`trigger.pullRequest.number`) with their places.
 * A `shadowed` one stands in a block with a context of its own, where it is empty unless written with `@root.`.
 */
export interface Template {
  program: hbs.AST.Program;
  variables: { parts: string[]; index: number; shadowed: boolean }[];
}

/** Why a template cannot be used, and the index of the character where it goes wrong. */
export interface TemplateFault {
  expected: string;
  found: string;
  index: number;
}

/** A template that was read takes some hundred times its text, so they are kept by their length (characters). */
const kept = new LRUCache<string, Template | TemplateFault>({
  max: 200,
  maxSize: 512 * 1024,
  sizeCalculation: (_, text) => Math.max(1, text.length),
  memoMethod: compile,
});

/** Reads a template. Only the format's helpers, no partials, no decorators; the first fault is reported with its index in the text. Never throws. */
export function compileTemplate(text: string): Template | TemplateFault {
  return kept.memo(text);
}

/** Tells the two results of `compileTemplate` apart. */
export function isFault(result: Template | TemplateFault): result is TemplateFault {
  return 'expected' in result;
}

function compile(text: string): Template | TemplateFault {
  const excess = findExcess(text);
  if (excess) return excess;
  const starts = lineStartsOf(text);
  const indexOf = (loc: hbs.AST.SourceLocation): number => (starts[loc.start.line - 1] ?? 0) + loc.start.column;
  try {
    const template: Template = { program: Handlebars.parse(text), variables: [] };
    return checkProgram(template.program, { scoped: false, names: [], indexOf, template }) ?? template;
  } catch (error) {
    return toFault(error, text, starts);
  }
}

/** The parser's time grows with the square of nesting, so what nobody writes by hand is refused by a flat scan before. */
function findExcess(text: string): TemplateFault | null {
  if (text.length > LONGEST) return { expected: `a template of at most ${LONGEST} characters`, found: `${text.length}`, index: 0 };
  let [tags, elses, depth] = [0, 0, 0];
  for (const { 0: tag, index } of text.matchAll(/\{\{+[~]?[^{}]*/g)) {
    const kind = /[#^/]|else/.exec(tag.slice(0, 8))?.[0];
    tags += 1;
    elses += kind === 'else' ? 1 : 0;
    depth += kind === '#' || kind === '^' ? 1 : kind === '/' ? -1 : 0;
    if (tags > MOST_TAGS) return { expected: `at most ${MOST_TAGS} {{ }} in a template`, found: 'more', index };
    if (elses > MOST_ELSES) return { expected: `at most ${MOST_ELSES} {{else}} in a template`, found: 'more', index };
    if (depth > DEEPEST) return { expected: `blocks nested at most ${DEEPEST} deep`, found: 'a deeper one', index };
    const fault = tagExcess(tag, index);
    if (fault) return fault;
  }
  return null;
}

/** What stands in one `{{ }}`: only comments may be long. */
function tagExcess(tag: string, index: number): TemplateFault | null {
  const comment = /^\{\{+~?!/.test(tag);
  if (tag.length > LONGEST_TAG && !comment)
    return { expected: `at most ${LONGEST_TAG} characters in one {{ }}`, found: `${tag.length}`, index };
  const parentheses = tag.match(/\(/g)?.length ?? 0;
  return parentheses > DEEPEST ? { expected: `at most ${DEEPEST} parentheses in one {{ }}`, found: 'more', index } : null;
}

interface Scope {
  /** Inside `each` or `with` a plain name belongs to the item, whose fields nobody knows beforehand. */
  scoped: boolean;
  /** Names given by `as |name|`. */
  names: string[];
  indexOf(loc: hbs.AST.SourceLocation): number;
  template: Template;
}

function checkProgram(program: hbs.AST.Program | undefined, scope: Scope): TemplateFault | null {
  for (const statement of program?.body ?? []) {
    const fault = checkStatement(statement, scope);
    if (fault) return fault;
  }
  return null;
}

function checkStatement(statement: hbs.AST.Statement, scope: Scope): TemplateFault | null {
  switch (statement.type) {
    case 'ContentStatement':
    case 'CommentStatement':
      return null;
    case 'MustacheStatement':
      return checkCall(statement as hbs.AST.MustacheStatement, scope);
    case 'BlockStatement':
      return checkBlock(statement as hbs.AST.BlockStatement, scope);
    default: {
      const what = statement.type.startsWith('Partial') ? 'a partial ({{> ...}})' : 'a decorator';
      return {
        expected: 'text, variables and blocks',
        found: `${what}, which templates here do not have`,
        index: scope.indexOf(statement.loc),
      };
    }
  }
}

function checkBlock(block: hbs.AST.BlockStatement, scope: Scope): TemplateFault | null {
  const name = helperName(block.path);
  const names = [...(block.program?.blockParams ?? []), ...(block.inverse?.blockParams ?? []), ...scope.names];
  if (name && BLOCKS.includes(name)) {
    const fault = checkArguments(block, scope, name) ?? checkCount(block.params.length, name, scope.indexOf(block.loc));
    const inner = { ...scope, names, scoped: scope.scoped || name === 'each' || name === 'with' };
    return fault ?? checkProgram(block.program, inner) ?? checkProgram(block.inverse, { ...scope, names });
  }
  if (name && HELPERS.includes(name)) {
    return {
      expected: `one of the blocks ${BLOCKS.join(', ')}`,
      found: `{{#${name}}}, which is not a block`,
      index: scope.indexOf(block.loc),
    };
  }
  const fault = checkCall(block, scope);
  return fault ?? checkProgram(block.program, { ...scope, names, scoped: true }) ?? checkProgram(block.inverse, { ...scope, names });
}

type Call = Pick<hbs.AST.MustacheStatement, 'path' | 'params' | 'hash' | 'loc'>;

function checkCall(call: Call, scope: Scope): TemplateFault | null {
  const name = helperName(call.path);
  if (name && HELPERS.includes(name)) {
    const index = scope.indexOf(call.loc);
    if (BLOCKS.includes(name)) return { expected: `{{#${name} ...}} ... {{/${name}}}`, found: `{{${name}}} outside a block`, index };
    return checkArguments(call, scope, name) ?? checkCount(call.params.length, name, index);
  }
  if (call.params.length > 0 || call.hash) {
    return {
      expected: `one of the helpers ${HELPERS.join(', ')}`,
      found: `the helper ${JSON.stringify(originalOf(call.path))}`,
      index: scope.indexOf(call.loc),
    };
  }
  return checkExpression(call.path, scope);
}

function checkArguments(call: Call, scope: Scope, name: string): TemplateFault | null {
  const wrong = call.hash?.pairs.find((pair) => !(pair.key === 'includeZero' && (name === 'if' || name === 'unless')));
  if (wrong) return { expected: `${name} without named arguments`, found: `${wrong.key}=`, index: scope.indexOf(wrong.loc) };
  for (const parameter of [...call.params, ...(call.hash?.pairs ?? []).map(({ value }) => value)]) {
    const fault = checkExpression(parameter, scope);
    if (fault) return fault;
  }
  return null;
}

function checkExpression(node: hbs.AST.Expression, scope: Scope): TemplateFault | null {
  if (node.type === 'SubExpression') {
    const call = node as hbs.AST.SubExpression;
    const name = helperName(call.path);
    const index = scope.indexOf(node.loc);
    if (!name || !HELPERS.includes(name) || BLOCKS.includes(name)) {
      return { expected: `one of ${HELPERS.slice(BLOCKS.length).join(', ')}`, found: `(${originalOf(call.path)} ...)`, index };
    }
    return checkArguments(call, scope, name) ?? checkCount(call.params.length, name, index);
  }
  if (node.type === 'PathExpression') noteVariable(node as hbs.AST.PathExpression, scope);
  return null;
}

function noteVariable(path: hbs.AST.PathExpression, { scoped, names, indexOf, template }: Scope): void {
  const parts = path.parts.map(String);
  const [first = ''] = parts;
  if (path.data ? first !== 'root' : path.depth > 0 || names.includes(first)) return;
  const named = path.data ? parts.slice(1) : parts;
  const shadowed = scoped && !path.data;
  const checked = shadowed ? first === 'trigger' || first === 'outputs' : named.length > 0;
  if (checked) template.variables.push({ parts: named, index: indexOf(path.loc), shadowed });
}

const COUNTS: Record<string, [number, number]> = {
  if: [1, 1],
  unless: [1, 1],
  each: [1, 1],
  with: [1, 1],
  lookup: [2, 2],
  not: [1, 1],
  json: [1, 1],
  and: [1, 50],
  or: [1, 50],
};

function checkCount(count: number, name: string, index: number): TemplateFault | null {
  const [least, most] = COUNTS[name] ?? [2, 2];
  if (count >= least && count <= most) return null;
  return { expected: `${name} with ${least === most ? least : 'at least one'} argument${most === 1 ? '' : 's'}`, found: `${count}`, index };
}

/** The name, where a path could be a helper: a single plain word. */
export function helperName(path: hbs.AST.Expression): string | null {
  if (path.type !== 'PathExpression') return null;
  const { parts, depth, data, original } = path as hbs.AST.PathExpression;
  return parts.length === 1 && depth === 0 && !data && original === parts[0] ? (parts[0] ?? null) : null;
}

function originalOf(path: hbs.AST.Expression): string {
  return 'original' in path ? String(path.original) : path.type;
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}

function toFault(error: unknown, text: string, starts: number[]): TemplateFault {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split('\n');
  const line = Number(/line (\d+)/.exec(lines[0] ?? '')?.[1] ?? 0);
  if (line > 0) {
    const found = /got '(\w+)'/.exec(message)?.[1] ?? 'something else';
    return {
      expected: 'a template that compiles',
      found: SEEN[found] ?? `an unexpected ${found}`,
      index: caretIndex(text, starts, { line, lines }),
    };
  }
  const place = / - (\d+):(\d+)$/.exec(message);
  const index = place ? (starts[Number(place[1]) - 1] ?? 0) + Number(place[2]) : 0;
  const plain = error instanceof RangeError ? 'blocks that are nested too deep' : message.replace(/ - \d+:\d+$/, '');
  return { expected: 'a template that compiles', found: plain.slice(0, 200), index };
}

const SEEN: Record<string, string> = {
  EOF: 'the end of the text before a block or "{{" was closed',
  INVALID: 'a character that cannot stand inside {{ }} (a literal "{{" is written "\\{{")',
  OPEN_ENDBLOCK: 'a {{/...}} that closes nothing',
  EQUALS: '"=" where a value has to stand (to compare, write (eq a b))',
  CLOSE: '}} too early',
  INVERSE: 'an {{else}} outside a block',
};

/** The parser tells the place only as a picture: up to 20 characters before it and 20 after it, and a caret below. */
function caretIndex(text: string, starts: number[], { line, lines }: { line: number; lines: string[] }): number {
  const picture = lines[1] ?? '';
  const caret = (lines[2] ?? '').indexOf('^');
  const start = starts[line - 1] ?? 0;
  const before = picture.slice(0, Math.max(0, caret)).replace(/^\.\.\./, '');
  const lastLine = before.slice(-Math.min(before.length, 12));
  const at = lastLine === '' ? -1 : text.indexOf(lastLine, Math.max(0, start - 1));
  const index = at >= 0 ? at + lastLine.length : start;
  return Math.min(index, Math.max(0, text.length - 1));
}
