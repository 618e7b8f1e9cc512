import { createHmac, createPrivateKey, createSign, type KeyObject, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** How GitHub is asked as the App. `privateKey` is a PEM. */
export interface AppFactsOptions {
  appId: number;
  privateKey: string;
  /** To see whether deliveries were signed with it; null where it is not known. */
  webhookSecret: string | null;
  apiUrl: string;
  version: string;
  signal: AbortSignal;
}

/** One delivery of the App's webhook, as GitHub remembers it. `at` in ms since 1970. */
export interface DeliveryFact {
  event: string;
  at: number;
  status: number;
  /** GitHub's words for how it ended. */
  ending: string;
}

/** What GitHub says of an App. `aheadMs` is how far this machine's clock is ahead of GitHub's. */
export type AppFacts =
  | { state: 'away'; why: string }
  | { state: 'refused'; aheadMs: number; blame: 'key text' | 'key' | 'id' | 'other'; why: string }
  | {
      state: 'known';
      aheadMs: number;
      app: App;
      installations: Installation[];
      hook: Hook;
      deliveries: DeliveryFact[];
      /** Whether the newest delivery was signed with the secret; null where that cannot be told. */
      signed: boolean | null;
    };

const App = z.object({
  slug: z.string(),
  html_url: z.string(),
  owner: z.object({ login: z.string(), type: z.string() }).nullish(),
  permissions: z.record(z.string(), z.string()),
  events: z.array(z.string()),
});
type App = z.infer<typeof App>;

const Installation = z.object({
  account: z.object({ login: z.string() }).nullish(),
  html_url: z.string(),
  permissions: z.record(z.string(), z.string()),
  suspended_at: z.string().nullish(),
});
type Installation = z.infer<typeof Installation>;

const Hook = z.object({ url: z.string().nullish(), content_type: z.string().nullish(), secret: z.string().nullish() });
type Hook = z.infer<typeof Hook>;

const Delivery = z.object({ id: z.number(), event: z.string(), delivered_at: z.string(), status: z.string(), status_code: z.number() });
const DeliveryDetail = z.object({
  request: z.object({ headers: z.record(z.string(), z.unknown()).nullish(), payload: z.unknown() }),
});
const Refused = z.object({ message: z.string() });

/** Asks GitHub for everything that a person may have got wrong when the App was made. Never throws: what goes wrong is an answer. */
export async function readAppFacts(options: AppFactsOptions): Promise<AppFacts> {
  const clock = await readClock(options).catch((error: unknown) => reasonOf(error));
  if (typeof clock === 'string') return { state: 'away', why: clock };
  const aheadMs = clock.aheadMs;
  const key = readKey(options.privateKey);
  if (!key) return { state: 'refused', aheadMs, blame: 'key text', why: 'PRIVATE_KEY is not a PEM key' };
  const ask = (path: string) => askAs(options, path, signToken(options.appId, key, Date.now() - aheadMs));
  try {
    const { status, data } = await ask('/app');
    if (status !== 200) return { state: 'refused', aheadMs, ...blameFor(status, data) };
    const [installations, hook, rows] = await Promise.all([
      ask('/app/installations?per_page=100'),
      ask('/app/hook/config'),
      ask('/app/hook/deliveries?per_page=20'),
    ]);
    const deliveries = z.array(Delivery).catch([]).parse(rows.data);
    return {
      state: 'known',
      aheadMs,
      app: App.parse(data),
      installations: z.array(Installation).parse(installations.data),
      hook: Hook.catch({}).parse(hook.data),
      deliveries: deliveries.map((row) => ({
        event: row.event,
        at: Date.parse(row.delivered_at),
        status: row.status_code,
        ending: row.status,
      })),
      signed: deliveries[0] ? await isSignedWith(options.webhookSecret, ask(`/app/hook/deliveries/${deliveries[0].id}`)) : null,
    };
  } catch (error) {
    if (error instanceof z.ZodError)
      return { state: 'refused', aheadMs, blame: 'other', why: `${options.apiUrl} does not answer as GitHub does` };
    return { state: 'away', why: reasonOf(error) };
  }
}

/** The Date of any answer tells the time, to the second. */
async function readClock(options: AppFactsOptions): Promise<{ aheadMs: number }> {
  const before = Date.now();
  const response = await fetch(`${options.apiUrl}/`, { headers: headersFor(options), signal: options.signal });
  await response.body?.cancel();
  const here = (before + Date.now()) / 2;
  const there = Date.parse(response.headers.get('date') ?? '');
  return { aheadMs: Number.isNaN(there) ? 0 : Math.round(here - there - 500) };
}

async function askAs(options: AppFactsOptions, path: string, token: string): Promise<{ status: number; data: unknown }> {
  const headers = { ...headersFor(options), authorization: `Bearer ${token}` };
  const response = await fetch(`${options.apiUrl}${path}`, { headers, signal: options.signal });
  const data: unknown = await response.json().catch(() => null);
  return { status: response.status, data };
}

function headersFor({ version }: AppFactsOptions): Record<string, string> {
  return { accept: 'application/vnd.github+json', 'user-agent': `pitwall/${version}` };
}

function readKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** Signed for GitHub's time, so that a wrong clock does not hide what else is wrong. */
function signToken(appId: number, key: KeyObject, now: number): string {
  const seconds = Math.floor(now / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: seconds - 60, exp: seconds + 480, iss: String(appId) })}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
}

function blameFor(status: number, data: unknown): { blame: 'key' | 'id' | 'other'; why: string } {
  const message = Refused.safeParse(data).data?.message ?? 'no text';
  const why = `GitHub answered ${status}: ${message}`;
  if (/integration not found|issuer/i.test(message)) return { blame: 'id', why };
  return { blame: status === 401 ? 'key' : 'other', why };
}

/** GitHub shows the payload as JSON, which is nearly always the text that was signed; a difference proves nothing alone. */
async function isSignedWith(secret: string | null, asked: Promise<{ data: unknown }>): Promise<boolean | null> {
  const detail = DeliveryDetail.safeParse((await asked).data).data;
  const headers = Object.entries(detail?.request.headers ?? {});
  const signature = headers.find(([name]) => name.toLowerCase() === 'x-hub-signature-256')?.[1];
  if (secret === null || !detail || typeof signature !== 'string') return null;
  const wanted = Buffer.from(`sha256=${createHmac('sha256', secret).update(JSON.stringify(detail.request.payload)).digest('hex')}`);
  const given = Buffer.from(signature);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
