import { randomUUID } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { inject } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { RedisStore } from '../../src/store/store.ts';

export const HOUR = 3_600_000;
/** GitHub's list of deliveries, and one of it. */
export const LIST = 'GET /app/hook/deliveries';
export const ONE = 'GET /app/hook/deliveries/{delivery_id}';

const ABOUT = { installationId: null, repositoryId: null };

/** A GitHub whose list of deliveries is read, a store of a test's own, and the log of who reads. */
export class Listed {
  readonly github: GitHub;
  readonly store: RedisStore;
  /** Of the store's keys. */
  readonly prefix: string;
  readonly app: GitHubApp;
  readonly lines: string[] = [];
  readonly log: Logger = pino({ level: 'debug' }, { write: (line: string) => void this.lines.push(line) });

  private constructor(github: GitHub, store: RedisStore, prefix: string) {
    this.github = github;
    this.store = store;
    this.prefix = prefix;
    this.app = this.makeApp(fetch);
  }

  static async open(): Promise<Listed> {
    const place = { url: inject('redisUrl'), prefix: `listed-${randomUUID()}` };
    const [github, store] = await Promise.all([GitHub.start(), RedisStore.open(place, { warn: () => {}, error: () => {} })]);
    return new Listed(github, store, place.prefix);
  }

  async close(): Promise<void> {
    await Promise.all([this.app.close(), this.store.close(), this.github.stop()]);
  }

  makeApp(send: typeof fetch): GitHubApp {
    const { id: appId, privateKey, webhookSecret } = this.github.app;
    const log = pino({ level: 'silent' });
    return new GitHubApp({ appId, privateKey, webhookSecret, apiUrl: this.github.apiUrl, version: '0.0.0', log, fetch: send });
  }

  /** A delivery that was attempted so long ago (ms); answered with this status, or by nobody (0). */
  deliver(ago: number, status = 0, payload: Record<string, unknown> = { action: 'opened' }) {
    const delivery = this.github.hooks.send('issues', payload, ABOUT);
    delivery.answer = { status, ms: 1, body: '', error: status === 0 ? 'failed to connect' : null, at: Date.now() - ago };
    return delivery;
  }

  async queued(): Promise<number> {
    return (await this.store.queues.counts()).deliveries;
  }

  /** How often GitHub was asked for this. */
  asked(route: string): number {
    return this.github.log.filter((entry) => entry.route === route).length;
  }
}
