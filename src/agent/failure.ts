import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { StreamBroken, StreamError } from './answer-stream.ts';
import { ModelRefused, PromptTooLong } from './model.ts';

/** What becomes of a failed call: asked again (not before `after`, ms), or refused for good with what to do about it. */
export type Failure = { retry: true; reason: string; after: number } | { retry: false; error: Error };

/** Tells failures that pass (limits, overload, network, cut streams) from those that asking again does not cure. `now` in ms, for dates. */
export function judgeFailure(error: unknown, asked: { model: string; host: string; now: number }): Failure {
  if (error instanceof StreamBroken) return { retry: true, reason: error.message, after: 0 };
  if (error instanceof StreamError) return judgeStreamError(error, asked);
  if (error instanceof APIConnectionError) return { retry: true, reason: `no connection to ${asked.host}: ${causeOf(error)}`, after: 0 };
  if (error instanceof APIError && typeof error.status === 'number') return judgeStatus(error, error.status, asked);
  if (error instanceof Error && isNetworkError(error))
    return { retry: true, reason: `the connection to ${asked.host} broke: ${causeOf(error)}`, after: 0 };
  return { retry: false, error: error instanceof Error ? error : new Error(String(error)) };
}

type Asked = Parameters<typeof judgeFailure>[1];

const PASSING = new Set([408, 409, 425, 429]);

function judgeStatus(error: APIError, status: number, asked: Asked): Failure {
  const said = messageOf(error);
  if (PASSING.has(status) || status >= 500) {
    return { retry: true, reason: `${asked.host} answered ${status}: ${said}`, after: retryAfter(error.headers, asked.now) };
  }
  return { retry: false, error: refusalOf(status, said, `${adviceFor(status, said, asked)} (${status}: ${said})`) };
}

const FINAL_KINDS: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
};

function judgeStreamError(error: StreamError, asked: Asked): Failure {
  const status = FINAL_KINDS[error.kind];
  if (status === undefined)
    return { retry: true, reason: `${asked.host} reported ${error.kind}: ${error.message.slice(0, 300)}`, after: 0 };
  return {
    retry: false,
    error: refusalOf(status, error.message, `${adviceFor(status, error.message, asked)} (${error.kind}: ${error.message.slice(0, 300)})`),
  };
}

function refusalOf(status: number, said: string, message: string): ModelRefused {
  return isTooLong(status, said) ? new PromptTooLong(message) : new ModelRefused(message);
}

function isTooLong(status: number, said: string): boolean {
  return status === 413 || /prompt is too long|context (window|length)|too many (input )?tokens/i.test(said);
}

function adviceFor(status: number, said: string, { model, host }: Asked): string {
  if (isTooLong(status, said)) {
    return `The prompt is too long for the model ${model}. Give the agent less to read at once, split the task, or set a model with a larger context in \`models\` of the settings`;
  }
  if (status === 402 || /credit balance|billing/i.test(said))
    return 'The account of ANTHROPIC_API_KEY cannot pay for the call. Look at its billing page';
  if (status === 401) return `The key in ANTHROPIC_API_KEY was not accepted by ${host}. Set one that is valid there`;
  if (status === 403)
    return `The key in ANTHROPIC_API_KEY may not use the model ${model} at ${host}. Allow it there, or name another model in \`models\` of the settings`;
  if (status === 404)
    return `${host} knows no model ${model}, or is no Messages API. Correct the id in \`models\` of the settings, or ANTHROPIC_BASE_URL`;
  if (status < 400) return `${host} redirects elsewhere. Set ANTHROPIC_BASE_URL to the final address`;
  return `${host} refused the request for the model ${model}. Asking again changes nothing; check that model and endpoint support tools and streaming`;
}

/** `retry-after` in ms: seconds, or a date. */
function retryAfter(headers: Headers | undefined, now: number): number {
  const value = headers?.get('retry-after')?.trim();
  if (!value) return 0;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

function messageOf(error: APIError): string {
  const body = error.error;
  const inner = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  const message = typeof inner === 'object' && inner !== null && 'message' in inner ? inner.message : null;
  return String(message ?? error.message).slice(0, 500);
}

function isNetworkError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(E[A-Z]+|UND_ERR_.*|HPE_.*|ABORT_ERR)$/.test(code) || /terminated|fetch failed|aborted|socket hang up|premature/i.test(error.message)
  );
}

function causeOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  const inner = cause.cause instanceof Error ? cause.cause : cause;
  return (inner.message || String('code' in inner ? inner.code : inner.name)).slice(0, 300);
}
