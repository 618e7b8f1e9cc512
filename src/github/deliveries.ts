import { z } from 'zod';
import { type AppRequests, askAsApp } from './app-request.ts';
import { GitHubError } from './error.ts';

/** A delivery as GitHub's list of the App's deliveries tells it. A redelivery is another row with the same `guid`. */
export interface DeliveryRow {
  /** GitHub's number of the attempt, as text: it has up to 19 digits. */
  id: string;
  /** What the webhook has as `X-GitHub-Delivery`. */
  guid: string;
  event: string;
  /** When it was attempted (ms since 1970, by GitHub's clock). */
  deliveredAt: number;
  /** Whether the webhook's address answered with 2xx. Who stands behind that address is not known. */
  answered: boolean;
}

/** Which deliveries to list. */
export interface DeliveryQuery {
  /** Older ones are left out (ms since 1970); GitHub keeps three days. */
  from: number;
  /** Only those that were answered, or only those that were not. */
  status?: 'success' | 'failure';
  /** Of an earlier list with the same `status`: where nothing was added since, that is the answer, and it costs no rate limit. */
  etag?: string;
  signal?: AbortSignal;
}

/** Deliveries, newest first. */
export interface DeliveryList {
  rows: DeliveryRow[];
  etag: string;
}

const ROUTE = 'GET /app/hook/deliveries';
const PAGE = 100;
/** More than the App's hourly requests would bear. */
const MOST_PAGES = 1_000;

const Integer = z.union([z.number(), z.bigint()]).transform(String);
const Row = z.object({
  id: Integer,
  guid: z.string().regex(/^[\w-]{1,128}$/),
  event: z.string().regex(/^\w{1,64}$/),
  delivered_at: z.iso.datetime({ offset: true }).transform((time) => Date.parse(time)),
  status_code: z.number().nullish(),
});
const Whole = z.object({
  request: z.object({
    headers: z.record(z.string(), z.unknown()).nullish(),
    payload: z.record(z.string(), z.unknown()).nullish(),
  }),
});

/**
 * Lists the deliveries of the App's webhook, page by page as far back as is asked for. Rows that are not GitHub's are left out. Throws `GitHubError`s;
 * it only reads, so it may be repeated.
 */
export async function listDeliveries(app: AppRequests, query: DeliveryQuery): Promise<DeliveryList | 'unmodified'> {
  const rows: DeliveryRow[] = [];
  let etag = '';
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer: Page | null = await askPage(app, query, cursor);
    if (answer === null) return 'unmodified';
    if (cursor === null) etag = answer.etag;
    rows.push(...answer.rows.filter((row) => row.deliveredAt >= query.from));
    const before: string | null = cursor;
    cursor = answer.next;
    if (cursor === null || cursor === before || answer.oldest < query.from) break;
  }
  return { rows, etag };
}

/** Reads a delivery whole, in the form in which a webhook is taken into the queue; null where GitHub does not have its payload any more. */
export async function readDelivery(
  app: AppRequests,
  row: DeliveryRow,
  signal?: AbortSignal,
): Promise<{ id: string; event: string; body: string } | null> {
  try {
    const { data } = await askAsApp(app, `${ROUTE}/{delivery_id}`, { delivery_id: row.id, ...aborted(signal) });
    const { request } = Whole.parse(whole(data));
    const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
    const told = headers.find(([name]) => name === 'x-github-event')?.[1];
    const event = typeof told === 'string' && /^\w{1,64}$/.test(told) ? told : row.event;
    return request.payload ? { id: row.guid, event, body: JSON.stringify(request.payload, plainNumber) } : null;
  } catch (error) {
    if (error instanceof GitHubError && error.kind === 'missing') return null;
    throw error;
  }
}

interface Page {
  rows: DeliveryRow[];
  /** When the last row was attempted; without end where no row is GitHub's. */
  oldest: number;
  next: string | null;
  etag: string;
}

async function askPage(app: AppRequests, { status, etag, signal }: DeliveryQuery, cursor: string | null): Promise<Page | null> {
  const parameters = {
    per_page: PAGE,
    ...(status ? { status } : {}),
    ...(cursor === null ? {} : { cursor }),
    ...(etag && cursor === null ? { headers: { 'if-none-match': etag } } : {}),
    ...aborted(signal),
  };
  try {
    const { data, headers = {} } = await askAsApp(app, ROUTE, parameters);
    const rows = z.array(z.unknown()).parse(whole(data)).flatMap(toRow);
    const oldest = rows.at(-1)?.deliveredAt ?? Number.POSITIVE_INFINITY;
    return { rows, oldest, next: nextOf(headers.link), etag: String(headers.etag ?? '') };
  } catch (error) {
    if (error instanceof GitHubError && error.kind === 'unmodified') return null;
    throw error;
  }
}

function toRow(value: unknown): DeliveryRow[] {
  const { data } = Row.safeParse(value);
  if (!data) return [];
  const { id, guid, event, delivered_at: deliveredAt, status_code: code } = data;
  return [{ id, guid, event, deliveredAt, answered: typeof code === 'number' && code >= 200 && code < 300 }];
}

/** The cursor of the next page, out of GitHub's `Link` header. */
function nextOf(link: string | number | undefined): string | null {
  const url = /<([^>]+)>;\s*rel="next"/.exec(String(link ?? ''))?.[1];
  return url ? new URL(url, 'https://api.github.com').searchParams.get('cursor') : null;
}

/** Octokit hands on what it got of an answer that broke off: then JSON is still text. */
function whole(data: unknown): unknown {
  if (typeof data === 'string') throw new GitHubError(`GitHub ${ROUTE}: the answer was cut off`, { kind: 'network' });
  return data;
}

/** Octokit reads integers over 2^53 as bigints; a webhook's body is read without them. */
function plainNumber(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function aborted(signal: AbortSignal | undefined): { request?: { signal: AbortSignal } } {
  return signal ? { request: { signal } } : {};
}
