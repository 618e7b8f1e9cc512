import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFailed } from 'vitest';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Director } from '../../src/demo/model/call.ts';
import { ScriptedModel } from '../../src/demo/model/scripted-model.ts';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');

/** Resolves with the first value of `look` that is neither null, undefined nor false. Patient, for a busy machine is slow. */
export async function until<T>(what: string, look: () => Promise<T> | T, ms = 120_000): Promise<NonNullable<T>> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(5);
  }
}

/** Whether the check runs of a repository, or of one commit, are there and over: they are made after the status comment. */
export function areChecksOver(github: GitHub, repo: Parameters<GitHub['checks']>[0], sha?: string): boolean {
  const checks = github.checks(repo, sha);
  return checks.length > 0 && checks.every(({ status }) => status === 'completed');
}

/** A server in a process of its own, with its own data folder. */
export class Server {
  readonly port: number;
  readonly environment: Record<string, string>;
  readonly #options: string[];
  #child: ChildProcess | null = null;
  #stopped = false;
  said = '';
  /** How often it ended by itself. */
  deaths = 0;

  constructor(port: number, environment: Record<string, string>, options: string[] = []) {
    this.port = port;
    this.environment = environment;
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/api/github/webhooks`;
  }

  /** Of the process that was started last. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'start', ...this.#options], { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#stopped = false;
    this.said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.said = (this.said + chunk.toString()).slice(-20_000)));
    await until('the server answers', async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${this.said}`);
      if (this.#options.includes('worker')) return this.said.includes('Pitwall is ready');
      return (await fetch(`http://127.0.0.1:${this.port}/healthz`).catch(() => null))?.ok;
    });
  }

  /** From now on it is started again whenever it ends by itself, as a service manager does. */
  supervise(): void {
    this.#child?.once('exit', () => {
      if (this.#stopped) return;
      this.deaths++;
      this.start()
        .then(() => this.supervise())
        .catch(() => {});
    });
  }

  /** Ends it as a crash or a power cut would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Holds it as a machine that is suspended would, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#stopped = true;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const gone = new Promise<number | null>((done) => child.once('exit', done));
    child.kill(signal);
    return gone;
  }
}

/** A GitHub double, a model double and servers that know each other, on the Redis of the test run. */
export class Stage {
  readonly github: GitHub;
  readonly model: ScriptedModel;
  readonly prefix = `e2e-${randomUUID()}`;
  readonly servers: Server[] = [];
  readonly #dir: string;
  readonly #redisUrl: string;
  #connection: Redis | null = null;

  private constructor(parts: { github: GitHub; model: ScriptedModel; dir: string; redisUrl: string }) {
    this.github = parts.github;
    this.model = parts.model;
    this.#dir = parts.dir;
    this.#redisUrl = parts.redisUrl;
  }

  static async open(redisUrl: string, options: { director?: Director; latencyMs?: number } = {}): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), 'pitwall-e2e-'));
    const [github, model] = await Promise.all([GitHub.start({ dir }), ScriptedModel.start(options)]);
    const stage = new Stage({ github, model, dir, redisUrl });
    if (expect.getState().currentTestName) onTestFailed(() => console.error(stage.#tell()));
    return stage;
  }

  /** What a test that failed has to tell: what came in, what GitHub was asked for last, and what the servers said. */
  #tell(): string {
    const { hooks, log } = this.github;
    const deliveries = hooks.deliveries.map(({ guid, event, action, createdAt, answer }) => ({ guid, event, action, createdAt, answer }));
    const requests = log.slice(-60).map(({ at, method, path, status, fault, refusal }) => ({ at, method, path, status, fault, refusal }));
    return [...[...deliveries, ...requests].map((one) => JSON.stringify(one)), ...this.servers.map(({ said }) => said)].join('\n');
  }

  /** Adds a server and points the webhooks at the first, unless they shall go nowhere. `options` are those of `pitwall start`. */
  async addServer(
    more: Record<string, string> = {},
    { options = [], webhooks = true }: { options?: string[]; webhooks?: boolean } = {},
  ): Promise<Server> {
    const { github, model } = this;
    const port = await freePort();
    const environment = {
      PATH: process.env.PATH ?? '',
      APP_ID: String(github.app.id),
      PRIVATE_KEY: github.app.privateKey,
      WEBHOOK_SECRET: github.app.webhookSecret,
      GITHUB_API_URL: github.apiUrl,
      ANTHROPIC_API_KEY: model.apiKey,
      ANTHROPIC_BASE_URL: model.url,
      PITWALL_REDIS_URL: this.#redisUrl,
      PITWALL_REDIS_PREFIX: this.prefix,
      PITWALL_DATA_DIR: join(this.#dir, `data-${this.servers.length}`),
      PORT: String(port),
      LOG_LEVEL: 'info',
      ...more,
    };
    const server = new Server(port, environment, options);
    await server.start();
    this.servers.push(server);
    if (webhooks) github.hooks.target = this.servers[0]?.url ?? server.url;
    return server;
  }

  /** A connection of the test's own to the Redis of the servers, until the stage is closed. */
  async connection(): Promise<Redis> {
    this.#connection ??= connectCommands(this.#redisUrl, () => {});
    await waitReady(this.#connection, 5_000);
    return this.#connection;
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    this.#connection?.disconnect();
    await Promise.all([this.github.stop(), this.model.stop()]);
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
