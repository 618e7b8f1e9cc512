import { createHash, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Answer, Call, Rate } from './route.ts';

const PAGE_MAX = 100;
const PAGE_DEFAULT = 30;

export function ok(body: unknown, headers: Record<string, string> = {}): Answer {
  return { status: 200, body, headers };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export function noContent(): Answer {
  return { status: 204 };
}

/** One page of a list with GitHub's Link header. `wrap` puts the rows into an object with their total. */
export function page<T>(call: Call, rows: readonly T[], wrap?: (rows: T[], total: number) => unknown): Answer {
  const size = Math.min(positive(call.query.get('per_page'), PAGE_DEFAULT), PAGE_MAX);
  const number = positive(call.query.get('page'), 1);
  const last = Math.max(1, Math.ceil(rows.length / size));
  const shown = rows.slice((number - 1) * size, number * size);
  const links: string[] = [];
  const link = (target: number, rel: string) => {
    const url = new URL(call.url);
    url.searchParams.set('page', String(target));
    links.push(`<${url}>; rel="${rel}"`);
  };
  if (number > 1) link(Math.min(number - 1, last), 'prev');
  if (number < last) link(number + 1, 'next');
  if (number < last) link(last, 'last');
  if (number > 1) link(1, 'first');
  return ok(wrap ? wrap(shown, rows.length) : shown, links.length > 0 ? { link: links.join(', ') } : {});
}

/** Writes an answer with GitHub's headers. A GET whose ETag the client has already is a 304 that costs nothing. Returns the status sent. */
export function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  about: { method: string; etag: string | undefined; rate: Rate },
): number {
  const payload = answer.body === undefined ? null : bytesOf(answer.body);
  const headers: Record<string, string> = { ...headersOf(answer), ...answer.headers };
  const cacheable = payload !== null && about.method === 'GET' && answer.status === 200;
  if (cacheable) {
    headers.etag = `W/"${createHash('sha256').update(payload).digest('hex')}"`;
    headers['cache-control'] = 'private, max-age=60, s-maxage=60';
  }
  const known = cacheable && (about.etag ?? '').split(/,\s*/).includes(headers.etag ?? '');
  if (known) about.rate.used--;
  Object.assign(headers, rateHeaders(about.rate), answer.headers);
  if (response.destroyed || response.writableEnded) return 0;
  if (known || payload === null) {
    delete headers['content-type'];
    response.writeHead(known ? 304 : answer.status, headers).end();
    return known ? 304 : answer.status;
  }
  headers['content-length'] = String(payload.length);
  response.writeHead(answer.status, headers).end(payload);
  return answer.status;
}

function headersOf(answer: Answer): Record<string, string> {
  return {
    'x-github-request-id': randomUUID(),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-api-version-selected': '2022-11-28',
    ...(answer.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
  };
}

function rateHeaders(rate: Rate): Record<string, string> {
  return {
    'x-ratelimit-limit': String(rate.limit),
    'x-ratelimit-remaining': String(Math.max(0, rate.limit - rate.used)),
    'x-ratelimit-used': String(rate.used),
    'x-ratelimit-reset': String(rate.reset),
    'x-ratelimit-resource': 'core',
  };
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function positive(text: string | null, otherwise: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}
