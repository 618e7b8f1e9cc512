/** The longest body GitHub takes, in characters. */
export const BODY_MAX = 65_536;

/** One entry of `errors` in a 422: a plain sentence (reviews) or an object. */
export type Problem = string | { resource: string; field?: string; code: string; message?: string };

/** An answer that GitHub gives instead of doing what was asked. */
export class Refusal extends Error {
  readonly status: number;
  readonly errors: Problem[] | null;
  readonly headers: Record<string, string>;
  readonly documentation: string;

  constructor(
    status: number,
    message: string,
    more: { errors?: Problem[]; headers?: Record<string, string>; documentation?: string } = {},
  ) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.errors = more.errors ?? null;
    this.headers = more.headers ?? {};
    this.documentation = more.documentation ?? 'https://docs.github.com/rest';
  }

  /** The JSON that goes out. */
  body(): Record<string, unknown> {
    return {
      message: this.message,
      ...(this.errors ? { errors: this.errors } : {}),
      documentation_url: this.documentation,
      status: String(this.status),
    };
  }
}

export function notFound(): Refusal {
  return new Refusal(404, 'Not Found');
}

export function forbidden(headers: Record<string, string> = {}): Refusal {
  return new Refusal(403, 'Resource not accessible by integration', { headers });
}

/** "Validation Failed" about one field. */
export function invalid(resource: string, field: string, code = 'invalid', message?: string): Refusal {
  return new Refusal(422, 'Validation Failed', { errors: [{ resource, field, code, ...(message ? { message } : {}) }] });
}

/** "Validation Failed" in a sentence of its own. */
export function failed(resource: string, message: string): Refusal {
  return new Refusal(422, 'Validation Failed', { errors: [{ resource, code: 'custom', message }] });
}

/** A request that does not fit its schema. */
export function malformed(what: string): Refusal {
  return new Refusal(422, `Invalid request.\n\n${what}`);
}

/** Reviews are refused in plain sentences that do not say which comment is meant. */
export function unprocessable(...sentences: string[]): Refusal {
  return new Refusal(422, 'Unprocessable Entity', { errors: sentences });
}

/** Returns a body that GitHub takes for this resource. Throws Refusal. */
export function requireBody(body: unknown, resource: string): string {
  if (typeof body !== 'string' || body.trim() === '') throw invalid(resource, 'body', 'missing_field');
  if (body.length > BODY_MAX) throw invalid(resource, 'body', 'custom', `body is too long (maximum is ${BODY_MAX} characters)`);
  return body;
}
