import { malformed } from './refusal.ts';

/** The JSON body of a request, read field by field; a field of a wrong type is refused in GitHub's words. */
export class Fields {
  readonly #values: Record<string, unknown>;

  constructor(values: unknown) {
    this.#values = isRecord(values) ? values : {};
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  names(): string[] {
    return Object.keys(this.#values);
  }

  raw(name: string): unknown {
    return this.#values[name];
  }

  /** A text, or undefined when the field is missing or null. */
  text(name: string): string | undefined {
    return this.#typed(name, 'string', (value) => typeof value === 'string');
  }

  /** A text that must be there. */
  needText(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw malformed(`"${name}" wasn't supplied.`);
    return value;
  }

  integer(name: string): number | undefined {
    return this.#typed(name, 'integer', (value) => Number.isInteger(value));
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, 'boolean', (value) => typeof value === 'boolean');
  }

  /** A list of texts, or undefined; `{ name }` objects count as their name. */
  texts(name: string): string[] | undefined {
    return this.list(name)?.map((entry) => {
      const value = isRecord(entry) ? entry.name : entry;
      if (typeof value !== 'string') throw malformed(`For 'items', ${JSON.stringify(entry)} is not a string.`);
      return value;
    });
  }

  list(name: string): unknown[] | undefined {
    return this.#typed(name, 'array', (value) => Array.isArray(value));
  }

  /** An object below this one, or undefined. */
  object(name: string): Fields | undefined {
    const value = this.#typed<Record<string, unknown>>(name, 'object', isRecord);
    return value && new Fields(value);
  }

  #typed<T>(name: string, type: string, fits: (value: unknown) => boolean): T | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (!fits(value))
      throw malformed(
        `For 'properties/${name}', ${JSON.stringify(value)} is not ${type === 'integer' || type === 'array' || type === 'object' ? 'an' : 'a'} ${type}.`,
      );
    return value as T;
  }
}

/** Says whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
