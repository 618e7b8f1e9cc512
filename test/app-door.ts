import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';
import { type App, type AppLimits, type AppParts, startApp } from '../src/app.ts';

/** What GitHub sends with a delivery. */
export const HEADERS = {
  'x-github-delivery': '0b989ba4-242f-11e5-81e1-c7b6966d2516',
  'x-github-event': 'pull_request',
  'x-hub-signature-256': `sha256=${'a'.repeat(64)}`,
  'content-type': 'application/json',
};
export const BODY = '{"action":"opened","text":"ä"}';
export const MIB = 1024 * 1024;

/** The app at work. */
export interface Door {
  app: App;
  url: string;
  /** What the app asked of its parts, and its answers, in order. */
  calls: string[];
  errors: unknown[];
}

const open: Door[] = [];
afterAll(async () => {
  await Promise.all(open.splice(0).map(({ app }) => app.close()));
});

/** Starts the app with parts that do nothing but what is given. */
export async function start(given: Partial<AppParts> = {}, limits: Partial<AppLimits> = {}, webhooks = true): Promise<Door> {
  const calls: string[] = [];
  const errors: unknown[] = [];
  const parts: AppParts = {
    verify: () => Promise.resolve(true),
    misfit: () => null,
    accept: () => Promise.resolve(),
    notReady: () => Promise.resolve([]),
    metrics: () => Promise.resolve('pitwall_jobs 1'),
    onError: (error) => errors.push(error),
    ...given,
  };
  const app = await startApp(
    {
      verify(body, signature) {
        calls.push(`verify ${body.toString()} ${signature}`);
        return parts.verify(body, signature);
      },
      misfit: parts.misfit,
      async accept(delivery) {
        calls.push(`accept ${JSON.stringify(delivery)}`);
        await parts.accept(delivery);
        calls.push('accepted');
      },
      notReady() {
        calls.push('notReady');
        return parts.notReady();
      },
      metrics(answered) {
        calls.push('metrics');
        return parts.metrics(answered);
      },
      onError: parts.onError,
    },
    { port: 0, host: '127.0.0.1', limits, webhooks },
  );
  const door = { app, url: `http://127.0.0.1:${app.port}`, calls, errors };
  open.push(door);
  return door;
}

export async function post(
  door: Door,
  { path = '/api/github/webhooks', headers = HEADERS as Record<string, string>, body = BODY as string | Buffer } = {},
) {
  const answer = await fetch(`${door.url}${path}`, { method: 'POST', headers, body });
  const said = await answer.text();
  door.calls.push(`answered ${answer.status}`);
  return { status: answer.status, text: said, headers: answer.headers };
}

/** A request whose body is written by hand, in chunks. */
export function stream(door: Door, headers: Record<string, string | number> = HEADERS) {
  const asked = request(`${door.url}/api/github/webhooks`, { method: 'POST', headers, agent: new Agent({ keepAlive: false }) });
  asked.on('error', () => {});
  const answered = once(asked, 'response').then(async ([response]) => {
    const answer = response as IncomingMessage;
    return { status: answer.statusCode, text: await text(answer), connection: answer.headers.connection };
  });
  return { asked, answered };
}
