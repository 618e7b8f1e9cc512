import { readTokens, SyntaxProblem, type Token } from './token.ts';

/** A value as it is written in a document. */
export type Value =
  | { kind: 'variable'; name: string }
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'enum'; name: string }
  | { kind: 'list'; values: Value[] }
  | { kind: 'object'; fields: Record<string, Value> };

/** `@name(arguments)`. */
export interface Directive {
  name: string;
  arguments: Record<string, Value>;
}

/** Where something stands in the text, as errors tell it. */
export interface Location {
  line: number;
  column: number;
}

/** What is asked of an object. */
export type Selection =
  | {
      kind: 'field';
      alias: string;
      name: string;
      arguments: Record<string, Value>;
      directives: Directive[];
      selections: Selection[] | null;
      location: Location;
    }
  | { kind: 'spread'; name: string; directives: Directive[]; location: Location }
  | { kind: 'inline'; type: string | null; directives: Directive[]; selections: Selection[]; location: Location };

/** The type of a variable as it is written: `[ID!]!`. */
export interface VariableDefinition {
  name: string;
  type: string;
  fallback: Value | null;
}

export interface Operation {
  kind: 'query' | 'mutation';
  name: string | null;
  variables: VariableDefinition[];
  selections: Selection[];
}

export interface Fragment {
  name: string;
  type: string;
  selections: Selection[];
}

/** A document that can be executed. */
export interface Document {
  operations: Operation[];
  fragments: Map<string, Fragment>;
}

/** Parses a document. Throws SyntaxProblem. */
export function parseDocument(text: string): Document {
  const reader = new Reader(readTokens(text));
  const document: Document = { operations: [], fragments: new Map() };
  while (!reader.isEnd()) {
    if (reader.peek() === 'fragment') {
      const fragment = readFragment(reader);
      document.fragments.set(fragment.name, fragment);
    } else document.operations.push(readOperation(reader));
  }
  return document;
}

/** Walks over tokens. */
class Reader {
  readonly #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', line: 1, column: 1 };
  }

  isEnd(): boolean {
    return this.token.kind === 'end';
  }

  /** The text of the next token unless it is a string. */
  peek(): string | null {
    return this.token.kind === 'string' ? null : this.token.text;
  }

  take(): Token {
    const token = this.token;
    this.#at++;
    return token;
  }

  takeIf(text: string): boolean {
    const fits = this.peek() === text && !this.isEnd();
    if (fits) this.#at++;
    return fits;
  }

  expect(text: string): void {
    if (!this.takeIf(text)) this.fail(`"${text}"`);
  }

  name(): string {
    if (this.token.kind !== 'name') this.fail('NAME');
    return this.take().text;
  }

  fail(wanted: string): never {
    const found = this.isEnd() ? 'the end of the document' : JSON.stringify(this.token.text);
    throw new SyntaxProblem(`Expected ${wanted}, actual: ${found}`, this.token);
  }
}

function readOperation(reader: Reader): Operation {
  if (reader.peek() === '{') return { kind: 'query', name: null, variables: [], selections: readSelections(reader) };
  const kind = reader.name();
  if (kind !== 'query' && kind !== 'mutation')
    throw new SyntaxProblem(`Expected query, mutation or fragment, actual: "${kind}"`, reader.token);
  const name = reader.token.kind === 'name' ? reader.name() : null;
  const variables: VariableDefinition[] = [];
  if (reader.takeIf('(')) while (!reader.takeIf(')')) variables.push(readVariable(reader));
  readDirectives(reader);
  return { kind, name, variables, selections: readSelections(reader) };
}

function readVariable(reader: Reader): VariableDefinition {
  reader.expect('$');
  const name = reader.name();
  reader.expect(':');
  const type = readType(reader);
  const fallback = reader.takeIf('=') ? readValue(reader) : null;
  readDirectives(reader);
  return { name, type, fallback };
}

function readType(reader: Reader): string {
  let type: string;
  if (reader.takeIf('[')) {
    type = `[${readType(reader)}]`;
    reader.expect(']');
  } else type = reader.name();
  return reader.takeIf('!') ? `${type}!` : type;
}

function readFragment(reader: Reader): Fragment {
  reader.expect('fragment');
  const name = reader.name();
  reader.expect('on');
  const type = reader.name();
  readDirectives(reader);
  return { name, type, selections: readSelections(reader) };
}

function readSelections(reader: Reader): Selection[] {
  reader.expect('{');
  const selections: Selection[] = [];
  while (!reader.takeIf('}')) selections.push(readSelection(reader));
  if (selections.length === 0) reader.fail('NAME');
  return selections;
}

function readSelection(reader: Reader): Selection {
  const { line, column } = reader.token;
  const location = { line, column };
  if (reader.takeIf('...')) {
    const next = reader.peek();
    if (reader.token.kind === 'name' && next !== 'on')
      return { kind: 'spread', name: reader.name(), directives: readDirectives(reader), location };
    const type = reader.takeIf('on') ? reader.name() : null;
    return { kind: 'inline', type, directives: readDirectives(reader), selections: readSelections(reader), location };
  }
  const first = reader.name();
  const name = reader.takeIf(':') ? reader.name() : first;
  return {
    kind: 'field',
    alias: first,
    name,
    arguments: readArguments(reader),
    directives: readDirectives(reader),
    selections: reader.peek() === '{' ? readSelections(reader) : null,
    location,
  };
}

function readDirectives(reader: Reader): Directive[] {
  const directives: Directive[] = [];
  while (reader.takeIf('@')) directives.push({ name: reader.name(), arguments: readArguments(reader) });
  return directives;
}

function readArguments(reader: Reader): Record<string, Value> {
  const found: Record<string, Value> = {};
  if (!reader.takeIf('(')) return found;
  while (!reader.takeIf(')')) {
    const name = reader.name();
    reader.expect(':');
    found[name] = readValue(reader);
  }
  return found;
}

function readValue(reader: Reader): Value {
  if (reader.takeIf('$')) return { kind: 'variable', name: reader.name() };
  if (reader.takeIf('[')) {
    const values: Value[] = [];
    while (!reader.takeIf(']')) values.push(readValue(reader));
    return { kind: 'list', values };
  }
  if (reader.takeIf('{')) {
    const fields: Record<string, Value> = {};
    while (!reader.takeIf('}')) {
      const name = reader.name();
      reader.expect(':');
      fields[name] = readValue(reader);
    }
    return { kind: 'object', fields };
  }
  return readScalar(reader);
}

function readScalar(reader: Reader): Value {
  const { kind, text } = reader.token;
  if (kind === 'end' || kind === 'punctuator') reader.fail('a value');
  reader.take();
  if (kind === 'string') return { kind: 'literal', value: text };
  if (kind === 'int' || kind === 'float') return { kind: 'literal', value: Number(text) };
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
  return text === 'null' ? { kind: 'literal', value: null } : { kind: 'enum', name: text };
}
