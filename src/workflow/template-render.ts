import { compileTemplate, helperName, isFault, type Template } from './template.ts';
import { isEmptyValue, TEMPLATE_FUNCTIONS } from './template-function.ts';

const MOST_STEPS = 100_000;
/** Characters that a helper looks at in the time of a step. */
const READ_IN_A_STEP = 500;
const LONGEST = 4 * 1024 * 1024;

/** What templates can name: `trigger.*` is the event's context, `outputs.*` what ended steps gave. */
export interface TemplateData {
  trigger: object;
  outputs: Record<string, unknown>;
}

/** A template that cannot be filled: it does not compile, or goes over the bounds (100 000 steps, 4 MiB). The message says which. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/**
 * Fills a template. Nothing in it or in the data is ever executed: it is walked, helpers are a closed list, only own
 * fields are read. Unknown variables are empty, objects and lists print as JSON, nothing is escaped.
 */
export function renderTemplate(text: string, data: TemplateData): string {
  return text.includes('{{') ? render(compiled(text), data) : text;
}

/** Like `renderTemplate`, but a text that is one variable and nothing else gives the variable's value itself (a list stays a list). */
export function renderValue(text: string, data: TemplateData): unknown {
  const trimmed = text.trim();
  if (!trimmed.includes('{{')) return text;
  const { program } = compiled(trimmed);
  const [only, ...more] = program.body;
  if (only?.type !== 'MustacheStatement' || more.length > 0) return renderTemplate(text, data);
  const value = evaluateCall(only as hbs.AST.MustacheStatement, topFrame(data));
  return value ?? '';
}

/** The repositories that a resolved `repoFullName` names: one name, a list of names or of `{ repoFullName }`, or either as JSON text. Null where it names none. */
export function repositoriesOf(value: unknown): string[] | null {
  const parsed = typeof value === 'string' && /^\s*[[{]/.test(value) ? parseOr(value, value) : value;
  const list = Array.isArray(parsed) ? parsed : [parsed];
  const names = list.map((entry) => (typeof entry === 'object' && entry !== null && 'repoFullName' in entry ? entry.repoFullName : entry));
  const good = names.filter((name): name is string => typeof name === 'string' && name.trim() !== '').map((name) => name.trim());
  return good.length > 0 && good.length === names.length ? [...new Set(good)] : null;
}

interface Frame {
  context: unknown;
  /** Outer contexts, nearest first, for `../`. */
  outer: unknown[];
  /** `@index`, `@key`, `@first`, `@last` of the loop, and those around it. */
  loop: Record<string, unknown>;
  outerLoops: Record<string, unknown>[];
  names: Record<string, unknown>;
  root: TemplateData;
  spent: { steps: number; length: number };
}

function compiled(text: string): Template {
  const template = compileTemplate(text);
  if (isFault(template)) throw new TemplateError(`the template does not compile: expected ${template.expected}, found ${template.found}`);
  return template;
}

function render(template: Template, data: TemplateData): string {
  return renderProgram(template.program, topFrame(data));
}

function topFrame(data: TemplateData): Frame {
  return { context: data, outer: [], loop: {}, outerLoops: [], names: {}, root: data, spent: { steps: 0, length: 0 } };
}

function renderProgram(program: hbs.AST.Program | undefined, frame: Frame): string {
  return (program?.body ?? []).map((statement) => renderStatement(statement, frame)).join('');
}

function renderStatement(statement: hbs.AST.Statement, frame: Frame): string {
  spend(frame, 1, 0);
  if (statement.type === 'ContentStatement') return counted((statement as hbs.AST.ContentStatement).value, frame);
  if (statement.type === 'MustacheStatement') return counted(print(evaluateCall(statement as hbs.AST.MustacheStatement, frame)), frame);
  return statement.type === 'BlockStatement' ? renderBlock(statement as hbs.AST.BlockStatement, frame) : '';
}

function renderBlock(block: hbs.AST.BlockStatement, frame: Frame): string {
  const name = helperName(block.path);
  const value = evaluate(block.params[0], frame);
  if (name === 'if' || name === 'unless') {
    const zero = value === 0 && block.hash?.pairs.some((pair) => evaluate(pair.value, frame) === true);
    const yes = (zero || !isEmptyValue(value)) === (name === 'if');
    return renderProgram(yes ? block.program : block.inverse, frame);
  }
  if (name === 'each') return renderEach(block, value, frame);
  if (name === 'with') return renderWith(block, value, frame);
  const section = evaluate(block.path, frame);
  if (Array.isArray(section)) return renderEach(block, section, frame);
  return section === true ? renderProgram(block.program, frame) : renderWith(block, section, frame);
}

function renderWith(block: hbs.AST.BlockStatement, value: unknown, frame: Frame): string {
  if (isEmptyValue(value) && value !== 0) return renderProgram(block.inverse, frame);
  return renderProgram(block.program, enter(frame, value, { names: bind(block, frame, [value]) }));
}

function renderEach(block: hbs.AST.BlockStatement, value: unknown, frame: Frame): string {
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  if (entries.length === 0) return renderProgram(block.inverse, frame);
  return entries
    .map(([key, item], index) => {
      spend(frame, 1, 0);
      const loop = { key, index, first: index === 0, last: index === entries.length - 1 };
      return renderProgram(block.program, enter(frame, item, { loop, names: bind(block, frame, [item, key]) }));
    })
    .join('');
}

function enter(frame: Frame, context: unknown, { loop, names }: { loop?: Record<string, unknown>; names: Record<string, unknown> }): Frame {
  const outer = context === frame.context ? frame.outer : [frame.context, ...frame.outer];
  const loops = loop ? { loop, outerLoops: [frame.loop, ...frame.outerLoops] } : {};
  return { ...frame, ...loops, context, outer, names };
}

function bind(block: hbs.AST.BlockStatement, frame: Frame, values: unknown[]): Record<string, unknown> {
  const given = (block.program?.blockParams ?? []).map((name, index) => [name, values[index]] as const);
  return given.length === 0 ? frame.names : { ...frame.names, ...Object.fromEntries(given) };
}

function evaluateCall(call: Pick<hbs.AST.MustacheStatement, 'path' | 'params'>, frame: Frame): unknown {
  const name = helperName(call.path);
  spend(frame, 1, 0);
  if (name === 'lookup') {
    const [object, key] = call.params.map((parameter) => evaluate(parameter, frame));
    return field(object, String(key));
  }
  const known = name !== null && Object.hasOwn(TEMPLATE_FUNCTIONS, name) ? TEMPLATE_FUNCTIONS[name] : undefined;
  if (!known) return evaluate(call.path, frame);
  const values = call.params.map((parameter) => evaluate(parameter, frame));
  for (const value of values) if (typeof value === 'string') spend(frame, value.length / READ_IN_A_STEP, 0);
  const value = known(...values);
  return typeof value === 'string' ? counted(value, frame) : value;
}

function evaluate(node: hbs.AST.Expression | undefined, frame: Frame): unknown {
  switch (node?.type) {
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
      return (node as hbs.AST.StringLiteral).value;
    case 'NullLiteral':
      return null;
    case 'SubExpression':
      return evaluateCall(node as hbs.AST.SubExpression, frame);
    case 'PathExpression':
      return evaluatePath(node as hbs.AST.PathExpression, frame);
    default:
      return undefined;
  }
}

function evaluatePath(path: hbs.AST.PathExpression, frame: Frame): unknown {
  const parts = path.parts.map(String);
  if (path.data) {
    const loops = [frame.loop, ...frame.outerLoops];
    const start = parts[0] === 'root' ? frame.root : field(loops[path.depth], parts[0] ?? '');
    return parts.slice(1).reduce(field, start);
  }
  const [first = ''] = parts;
  if (path.depth === 0 && Object.hasOwn(frame.names, first) && !/^(?:this|\.)/.test(path.original)) {
    return parts.slice(1).reduce(field, frame.names[first]);
  }
  const start = path.depth === 0 ? frame.context : frame.outer[path.depth - 1];
  return parts.reduce(field, start);
}

/** An own field that is data; never something inherited, never a function. */
function field(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === 'length' ? value.length : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const found = (value as Record<string, unknown>)[key];
  return typeof found === 'function' ? undefined : found;
}

function print(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function counted(text: string, frame: Frame): string {
  spend(frame, 0, text.length);
  return text;
}

function spend(frame: Frame, steps: number, length: number): void {
  frame.spent.steps += steps;
  frame.spent.length += length;
  if (frame.spent.steps > MOST_STEPS) throw new TemplateError(`the template takes over ${MOST_STEPS} steps to fill; loop over less`);
  if (frame.spent.length > LONGEST) throw new TemplateError(`the filled template is over ${LONGEST} characters; print less into it`);
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
