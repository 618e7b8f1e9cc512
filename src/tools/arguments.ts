import { z } from 'zod';
import { ToolError } from '../journal/errors.ts';

/** Words that mean the same argument; models and published prompts use any of them. */
const SYNONYMS = [
  ['path', 'paths', 'file', 'files', 'filePath', 'filename', 'fileName', 'targetFile', 'directory', 'dir', 'folder'],
  ['content', 'contents', 'body', 'message', 'comment', 'text', 'value', 'data', 'entry', 'description', 'summary', 'status'],
  ['name', 'title', 'scratchpad', 'scratchpadName', 'pad', 'padName', 'key'],
  ['line', 'lineNumber', 'endLine', 'end', 'to', 'lineEnd'],
  ['startLine', 'start', 'from', 'lineStart', 'offset'],
  ['threadId', 'thread', 'reviewThreadId', 'id', 'commentId'],
  ['query', 'pattern', 'search', 'searchTerm', 'q', 'keywords'],
  ['glob', 'include', 'filePattern', 'includePattern'],
  ['old', 'oldText', 'oldString', 'oldStr', 'find', 'search'],
  ['new', 'newText', 'newString', 'newStr', 'replace', 'replacement'],
  ['all', 'replaceAll'],
  ['event', 'reviewEvent', 'verdict', 'state', 'action'],
  ['state', 'status'],
  ['side', 'diffSide'],
  ['runId', 'workflowRunId', 'ciRunId', 'run', 'id'],
  ['jobId', 'ciJobId', 'job', 'id'],
  ['page', 'cursor', 'nextPage'],
  ['limit', 'perPage', 'count', 'maxResults'],
  [
    'number',
    ...['pullRequestNumber', 'pullRequest', 'pullNumber', 'prNumber', 'pullRequestId', 'prId'],
    ...['issueNumber', 'ticketNumber', 'ticketId', 'issueId', 'issue', 'ticket', 'id'],
  ],
];

type Fields = Record<string, z.ZodType>;

/**
 * A model's arguments as a tool's schema wants them: other names and spellings of the same argument, numbers as text, an array of one, `null` for absent.
 * Throws `ToolError` that says per field what was expected.
 */
export function parseArguments(tool: { name: string; input: z.ZodType; exact?: boolean }, raw: unknown): unknown {
  const fields = fieldsOf(tool.input);
  const given = openRaw(raw);
  const parsed = tool.input.safeParse(bendAll(fields, tool.exact ? respellAll(fields, given) : renameAll(fields, given)));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  throw new ToolError(`${tool.name} was not run. ${faults.join('; ')}. It takes { ${describe(fields)} }.`);
}

function fieldsOf(input: z.ZodType): Fields {
  return input instanceof z.ZodObject ? (input.shape as Fields) : {};
}

/** Some models send their arguments as a text of JSON. */
function openRaw(raw: unknown): Record<string, unknown> {
  if (typeof raw === 'string' && raw.trim().startsWith('{')) {
    try {
      return openRaw(JSON.parse(raw));
    } catch {
      return {};
    }
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return {};
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null && value !== undefined));
}

/** Only the spelling differs: `add_labels` is `addLabels`. */
function respellAll(fields: Fields, raw: Record<string, unknown>): Record<string, unknown> {
  const respelled = Object.entries(raw).map(([name, value]) => [Object.hasOwn(fields, inCamel(name)) ? inCamel(name) : name, value]);
  return Object.fromEntries(respelled);
}

function inCamel(name: string): string {
  return name.replace(/[-_]+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function renameAll(fields: Fields, raw: Record<string, unknown>): Record<string, unknown> {
  const known = Object.entries(raw).filter(([name]) => Object.hasOwn(fields, name));
  const renamed = new Map(known);
  for (const [name, value] of Object.entries(raw)) {
    if (Object.hasOwn(fields, name)) continue;
    const target = targetOf(fields, name, (field) => renamed.has(field));
    renamed.set(target ?? name, value);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (renamed.has(name) || isOptional(field)) continue;
    const donor = SYNONYMS.filter((words) => words.includes(name))
      .flat()
      .find((word) => renamed.has(word) && isSpare(fields, word));
    if (donor) renamed.set(name, renamed.get(donor));
  }
  return Object.fromEntries(renamed);
}

/** The field that an unknown name stands for, if that field was not given. */
function targetOf(fields: Fields, name: string, isGiven: (field: string) => boolean): string | null {
  const camel = inCamel(name);
  const free = (field: string) => Object.hasOwn(fields, field) && !isGiven(field);
  if (free(camel)) return camel;
  const groups = SYNONYMS.filter((words) => words.includes(camel));
  return groups.flat().find(free) ?? null;
}

function isSpare(fields: Fields, name: string): boolean {
  const field = fields[name];
  return field === undefined || isOptional(field);
}

function bendAll(fields: Fields, given: Record<string, unknown>): Record<string, unknown> {
  const bent = Object.entries(given).map(([name, value]) => {
    const field = fields[name];
    return [name, field ? bend(inner(field), value) : value];
  });
  return Object.fromEntries(bent.filter(([, value]) => value !== undefined));
}

function bend(field: unknown, value: unknown): unknown {
  if (field instanceof z.ZodNumber) return toNumber(value);
  if (field instanceof z.ZodBoolean)
    return typeof value === 'string' ? ({ true: true, false: false }[value.trim().toLowerCase()] ?? value) : value;
  if (field instanceof z.ZodEnum) return toOption(field.options.map(String), value);
  if (field instanceof z.ZodArray && typeof value === 'string') return toList(value);
  if (field instanceof z.ZodString) return toText(value);
  return value;
}

/** A list as JSON, or its parts with commas between them. */
function toList(text: string): unknown {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  if (!text.trim().startsWith('[')) return parts;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return parts;
  }
}

function toNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim().replace(/^[#L]/i, '');
  if (text === '') return undefined;
  return Number.isFinite(Number(text)) ? Number(text) : value;
}

function toOption(options: string[], value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const plain = (word: string) => word.toLowerCase().replace(/[^a-z]/g, '');
  const wanted = plain(value);
  return options.find((option) => plain(option) === wanted) ?? options.find((option) => wanted.startsWith(plain(option))) ?? value;
}

function toText(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? toText(value[0]) : value;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/** Whether fields may be absent, asked once each: a schema says no with an error, which takes long to make. */
const optional = new WeakMap<z.ZodType, boolean>();

function isOptional(field: z.ZodType): boolean {
  const known = optional.get(field);
  if (known !== undefined) return known;
  const { success } = field.safeParse(undefined);
  optional.set(field, success);
  return success;
}

function inner(field: z.ZodType): unknown {
  const { innerType } = field.def as { innerType?: z.ZodType };
  return innerType ? inner(innerType) : field;
}

function describe(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, field]) => `${name}${isOptional(field) ? '?' : ''}: ${typeName(inner(field))}`)
    .join(', ');
}

function typeName(field: unknown): string {
  if (field instanceof z.ZodEnum) return field.options.join(' | ');
  if (field instanceof z.ZodUnion) return field.options.map((option) => typeName(option)).join(' | ');
  if (field instanceof z.ZodArray) return `${typeName(field.element)}[]`;
  return field instanceof z.ZodType ? field.def.type : 'value';
}
