/** One token of a GraphQL document; `line` and `column` count from 1. */
export interface Token {
  kind: 'punctuator' | 'name' | 'int' | 'float' | 'string' | 'end';
  text: string;
  line: number;
  column: number;
}

/** A document that is no GraphQL. */
export class SyntaxProblem extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, at: { line: number; column: number }) {
    super(`${message} at [${at.line}, ${at.column}]`);
    this.name = 'SyntaxProblem';
    this.line = at.line;
    this.column = at.column;
  }
}

const IGNORED = /(?:[\s,\uFEFF]|#[^\n\r]*)*/y;
const PUNCTUATOR = /\.\.\.|[!$&()\]:=@[{|}]/y;
const NAME = /[_A-Za-z]\w*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const BLOCK = /"""((?:\\"""|[\s\S])*?)"""/y;
const STRING = /"((?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})|[^"\\\n\r])*)"/y;

/** Cuts a document into tokens; the last one is the end. Throws SyntaxProblem. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += match(IGNORED)?.[0].length ?? 0;
    const place = placeOf(text, at);
    if (at >= text.length) return [...tokens, { kind: 'end', text: '', ...place }];
    const [found, token] = readOne(match) ?? [];
    if (!found || !token) throw new SyntaxProblem(`Parse error on ${JSON.stringify(text.slice(at, at + 10))} (error)`, place);
    tokens.push({ ...token, ...place });
    at += found.length;
  }
}

function readOne(match: (pattern: RegExp) => RegExpExecArray | null): [string, Pick<Token, 'kind' | 'text'>] | null {
  const block = match(BLOCK);
  if (block) return [block[0], { kind: 'string', text: dedent((block[1] ?? '').replace(/\\"""/g, '"""')) }];
  const string = match(STRING);
  if (string) return [string[0], { kind: 'string', text: readEscapes(string[1] ?? '') }];
  const punctuator = match(PUNCTUATOR);
  if (punctuator) return [punctuator[0], { kind: 'punctuator', text: punctuator[0] }];
  const name = match(NAME);
  if (name) return [name[0], { kind: 'name', text: name[0] }];
  const number = match(NUMBER);
  if (number) return [number[0], { kind: number[1] || number[2] ? 'float' : 'int', text: number[0] }];
  return null;
}

function readEscapes(text: string): string {
  return String(JSON.parse(`"${text.replace(/[\u0000-\u001f]/g, (control) => JSON.stringify(control).slice(1, -1))}"`));
}

/** A block string loses its common indentation and blank first and last lines. */
function dedent(text: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  const indents = lines.slice(1).flatMap((line) => (line.trim() === '' ? [] : [/^[ \t]*/.exec(line)?.[0].length ?? 0]));
  const common = indents.length > 0 ? Math.min(...indents) : 0;
  const cut = lines.map((line, index) => (index === 0 ? line : line.slice(common)));
  while (cut[0]?.trim() === '') cut.shift();
  while (cut.at(-1)?.trim() === '') cut.pop();
  return cut.join('\n');
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
