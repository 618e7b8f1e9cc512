import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { describeValue, type Path, type Problem, type Remark, sentence, writePath } from './problem.ts';

const LONGEST = 1024 * 1024;
const DEEPEST = 64;
const MOST_ENTRIES = 15_000;
const MOST_FOUND = 500;
/** The scanner's own numbers for the tokens that matter here. */
const OPENS = new Set([1, 3]);
const CLOSES = new Set([2, 4]);
const COMMA = 5;
const END = 17;
const SYNTAX: Record<string, string> = {
  InvalidSymbol: 'a JSON value',
  InvalidNumberFormat: 'a JSON number',
  PropertyNameExpected: 'a key in double quotes',
  ValueExpected: 'a value',
  ColonExpected: '":" after the key',
  CommaExpected: '"," between two entries',
  CloseBraceExpected: '"}" that closes the object',
  CloseBracketExpected: '"]" that closes the array',
  EndOfFileExpected: 'the end of the file',
  InvalidCommentToken: 'a comment or a value',
  UnexpectedEndOfComment: '"*/" that closes the comment',
  UnexpectedEndOfString: 'a closing quote',
  UnexpectedEndOfNumber: 'a whole number',
  InvalidUnicode: 'four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'a valid escape such as \\n or \\"',
  InvalidCharacter: 'a printable character (line breaks in texts are written \\n)',
};

/** A JSON document (comments and trailing commas allowed) that still knows where each of its values stands. */
export interface JsonDocument {
  file: string;
  /** Undefined where the text could not be read at all. */
  value: unknown;
  problems: Problem[];
  /** Gives a remark its line and column. */
  place(remark: Remark): Problem;
}

/** Reads JSON with comments. Never throws: whatever the text is, mistakes come back as problems. */
export function parseJson(text: string, file: string): JsonDocument {
  const clean = text.charCodeAt(0) === 0xfeff ? ` ${text.slice(1)}` : text;
  const starts = lineStarts(clean);
  const unreadable = refuse(clean);
  const errors: ParseError[] = [];
  const root = unreadable ? undefined : parseTree(clean, errors, { allowTrailingComma: true, allowEmptyContent: false });
  const found: Remark[] = [];
  const value = root && errors.length === 0 ? read(root, [], found) : undefined;
  const place = (remark: Remark): Problem => toProblem(remark, { file, starts, text: clean, root });
  const syntax = unreadable ? [unreadable] : firstOfEachLine(errors, starts).map((error) => toSyntax(error, clean));
  return { file, value, place, problems: [...syntax.map((e) => syntaxProblem(e, file, starts)), ...found.slice(0, MOST_FOUND).map(place)] };
}

/** 1-based line and column of an index, given where the lines start. */
export function positionAt(starts: readonly number[], offset: number): { line: number; column: number } {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** Index of the first character of every line. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

interface Syntax {
  offset: number;
  expected: string;
  found: string;
}

/** The parser is recursive, so what would exhaust it is refused by a flat scan before. */
function refuse(text: string): Syntax | null {
  if (text.length > LONGEST) return { offset: 0, expected: `at most ${LONGEST} characters`, found: `${text.length}` };
  const scanner = createScanner(text, true);
  let [depth, entries] = [0, 0];
  for (let token = scanner.scan(); token !== END; token = scanner.scan()) {
    depth += OPENS.has(token) ? 1 : CLOSES.has(token) ? -1 : 0;
    entries += OPENS.has(token) || token === COMMA ? 1 : 0;
    if (entries > MOST_ENTRIES) return { offset: scanner.getTokenOffset(), expected: `at most ${MOST_ENTRIES} values`, found: 'more' };
    if (depth > DEEPEST)
      return { offset: scanner.getTokenOffset(), expected: `at most ${DEEPEST} levels of nesting`, found: 'a deeper one' };
  }
  return null;
}

function firstOfEachLine(errors: ParseError[], starts: number[]): ParseError[] {
  const lines = new Set<number>();
  return errors
    .filter((error) => {
      const { line } = positionAt(starts, error.offset);
      return !lines.has(line) && lines.add(line);
    })
    .slice(0, 20);
}

function toSyntax(error: ParseError, text: string): Syntax {
  const seen = text.slice(error.offset, error.offset + Math.max(1, Math.min(error.length, 20)));
  const expected = SYNTAX[printParseErrorCode(error.error)] ?? 'valid JSON';
  return { offset: error.offset, expected, found: error.offset >= text.length ? 'the end of the file' : JSON.stringify(seen) };
}

function syntaxProblem({ offset, expected, found }: Syntax, file: string, starts: number[]): Problem {
  return { severity: 'error', file, ...positionAt(starts, offset), path: '$', expected, found, message: sentence(expected, found) };
}

function read(node: Node, path: Path, found: Remark[]): unknown {
  if (node.type === 'array') return (node.children ?? []).map((child, index) => read(child, [...path, index], found));
  if (node.type !== 'object') return node.value;
  const value: Record<string, unknown> = {};
  for (const property of node.children ?? []) {
    const [key, child] = property.children ?? [];
    if (!key || !child) continue;
    const name = String(key.value);
    const here = [...path, name];
    if (name === '__proto__') {
      found.push({
        severity: 'warning',
        path: here,
        of: 'key',
        expected: 'a key of the format',
        found: 'the key "__proto__", which is ignored',
      });
      continue;
    }
    if (Object.hasOwn(value, name)) {
      found.push({
        severity: 'warning',
        path: here,
        of: 'key',
        expected: 'each key once',
        found: `the key ${describeValue(name)} again; the last one counts`,
      });
    }
    value[name] = read(child, here, found);
  }
  return value;
}

interface Source {
  file: string;
  starts: number[];
  text: string;
  root: Node | undefined;
}

function toProblem(remark: Remark, source: Source): Problem {
  const { node, whole } = find(source.root, remark);
  const found = remark.found ?? (whole ? describeNode(node) : 'nothing');
  const inText = remark.at !== undefined && node?.type === 'string' ? offsetInText(source.text, node, remark.at) : null;
  return {
    severity: remark.severity,
    file: source.file,
    ...positionAt(source.starts, inText ?? node?.offset ?? 0),
    path: writePath(remark.path),
    expected: remark.expected,
    found,
    message: sentence(remark.expected, found, remark.hint),
  };
}

/** The node at the path, or the deepest one above it that exists. */
function find(root: Node | undefined, remark: Remark): { node: Node | undefined; whole: boolean } {
  let node = root;
  for (const [index, part] of remark.path.entries()) {
    const property = node?.type === 'object' ? propertiesOf(node).get(part) : undefined;
    const next = node?.type === 'array' && typeof part === 'number' ? node.children?.[part] : property?.children?.[1];
    if (!next) return { node, whole: false };
    node = index === remark.path.length - 1 && remark.of === 'key' && property ? property.children?.[0] : next;
  }
  return { node, whole: true };
}

const properties = new WeakMap<Node, Map<unknown, Node>>();

/** The properties of an object by their keys, the last of each; written down once, because many remarks may be placed in one object. */
function propertiesOf(node: Node): Map<unknown, Node> {
  const known = properties.get(node);
  if (known) return known;
  const made = new Map((node.children ?? []).map((child) => [child.children?.[0]?.value as unknown, child]));
  properties.set(node, made);
  return made;
}

function describeNode(node: Node | undefined): string {
  return node ? describeValue(read(node, [], [])) : 'nothing';
}

/** Index in the file of the character at `index` of a JSON string's value. */
function offsetInText(text: string, node: Node, index: number): number {
  let at = node.offset + 1;
  for (let k = 0; k < index && at < node.offset + node.length - 1; k++) {
    at += text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2;
  }
  return at;
}
