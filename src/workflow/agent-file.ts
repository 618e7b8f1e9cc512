import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { AGENT_TYPES, type AgentType } from './agent-role.ts';
import { checkValue } from './issue.ts';
import { lineStarts, positionAt } from './json.ts';
import { optional } from './optional.ts';
import { describeValue, type Problem, type Remark, sentence, writePath } from './problem.ts';

const MOST_ALIASES = 20;
const MOST_PROBLEMS = 100;
/** The time of the YAML parser grows with the square of its text, in keys and in mistakes. */
const LONGEST_FRONT = 8 * 1024;

/** A list, also written as one text with commas. */
const Names = z.union([z.array(z.string().min(1)), z.string()]).transform((value) => {
  return typeof value === 'string' ? value.split(',').flatMap((name) => name.trim() || []) : value;
});

const FrontMatter = z.strictObject({
  name: z.string().min(1),
  description: optional(z.string(), ''),
  type: optional(z.enum(AGENT_TYPES), null),
  model: optional(z.string().min(1), null),
  tools: optional(Names, null),
  allow: optional(Names, null),
  deny: optional(Names, []),
  skills: optional(Names, []),
  mcpServers: optional(Names, []),
  runtime: optional(z.string().regex(/^(subagent|auto|acp:[a-z][a-z0-9-]*)$/), 'subagent'),
  persistent: optional(z.boolean(), false),
  quietHours: optional(z.string().regex(/^([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d|2[0-3]):[0-5]\d$/), null),
  heartbeat: optional(z.string(), null),
  allowAgents: optional(Names, null),
  mayMessage: optional(Names, null),
});

/** An agent as `.overcut/agents/<id>.md` describes it: front matter, and a body that is added to its type's instructions. */
export type AgentFile = Omit<z.infer<typeof FrontMatter>, 'type'> & {
  id: string;
  path: string;
  type: AgentType | null;
  instructions: string;
};

/** Reads an agent's file. All mistakes at once, each with its line and column; never throws. */
export function parseAgentFile({ path, text }: { path: string; text: string }): { agent: AgentFile | null; problems: Problem[] } {
  const id = (path.split('/').at(-1) ?? path).replace(/\.md$/i, '');
  const clean = text.replace(/^\uFEFF/, '').replace(/\r\n/g, '\n');
  const parts = /^---[ \t]*\n([\s\S]*?)\n?^---[ \t]*$\n?/m.exec(clean);
  if (parts?.index !== 0) return { agent: null, problems: [withoutFront(path, clean)] };
  const length = parts[1]?.length ?? 0;
  if (length > LONGEST_FRONT) {
    const long: Remark = {
      severity: 'error',
      path: [],
      expected: `front matter of at most ${LONGEST_FRONT} characters`,
      found: `${length}`,
    };
    return { agent: null, problems: [toProblem({ ...long, hint: 'instructions stand below it' }, { line: 1, column: 1 }, path)] };
  }
  const front = readFront(parts[1] ?? '', { file: path, offset: clean.indexOf('\n') + 1, text: clean });
  const name: Remark[] = /^[a-zA-Z0-9][\w.-]*$/.test(id)
    ? []
    : [{ severity: 'error', path: [], expected: 'a file name of letters, digits and hyphens', found: JSON.stringify(id) }];
  const problems = [...front.problems, ...name.map((remark) => toProblem(remark, { line: 1, column: 1 }, path))];
  if (!front.data || problems.some(({ severity }) => severity === 'error')) return { agent: null, problems };
  return { agent: { ...front.data, id, path, instructions: clean.slice(parts[0].length).trim() }, problems };
}

interface Source {
  file: string;
  /** Where the front matter begins in the text. */
  offset: number;
  text: string;
}

function readFront(yaml: string, source: Source): { data: z.infer<typeof FrontMatter> | null; problems: Problem[] } {
  const starts = lineStarts(source.text);
  const placed = (remark: Remark, offset: number): Problem => toProblem(remark, positionAt(starts, source.offset + offset), source.file);
  try {
    const document = parseDocument(yaml, { lineCounter: new LineCounter(), uniqueKeys: true, version: '1.2' });
    const syntax = document.errors.slice(0, MOST_PROBLEMS).map((error) => {
      const found = (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '').slice(0, 160);
      return placed({ severity: 'error', path: [], expected: 'YAML between the two lines of ---', found }, error.pos[0]);
    });
    if (syntax.length > 0) return { data: null, problems: syntax };
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES }) ?? {};
    const { data, remarks } = checkValue(FrontMatter, value);
    const found = (remark: Remark): Remark => ({ found: describeValue(valueAt(value, remark)), ...remark });
    return { data, problems: remarks.map((remark) => placed(found(remark), offsetOf(document.contents, remark))) };
  } catch (error) {
    const found = error instanceof Error ? error.message.slice(0, 160) : 'something unreadable';
    return { data: null, problems: [placed({ severity: 'error', path: [], expected: 'YAML between the two lines of ---', found }, 0)] };
  }
}

/** Where the value (or the key) at the path stands in the YAML; of what is missing, where its holder stands. */
function offsetOf(contents: Node | null, { path, of }: Remark): number {
  let node: unknown = contents;
  let offset = 0;
  for (const [index, part] of path.entries()) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part)) : undefined;
    const isKey = index === path.length - 1 && of === 'key';
    node = isSeq(node) ? node.items[Number(part)] : isKey ? pair?.key : (pair?.value ?? pair?.key);
    if (!isNode(node)) return offset;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}

function valueAt(value: unknown, { path }: Remark): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

function withoutFront(path: string, text: string): Problem {
  const found = text.startsWith('---') ? 'no line of --- that closes it' : 'none';
  const hint = 'begin the file with ---, a line "name: ...", and --- again; the instructions follow';
  return toProblem(
    { severity: 'error', path: [], expected: 'front matter between two lines of ---', found, hint },
    { line: 1, column: 1 },
    path,
  );
}

function toProblem(remark: Remark, position: { line: number; column: number }, file: string): Problem {
  const { severity, expected, hint, found = 'nothing' } = remark;
  return { severity, file, ...position, path: writePath(remark.path), expected, found, message: sentence(expected, found, hint) };
}
