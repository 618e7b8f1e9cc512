import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectCommands, type Redis, waitReady } from '../../src/store/redis.ts';

/** A redis-server of the test's own, which may be killed, filled and flushed. */
export class OwnRedis {
  readonly url: string;
  readonly #dir = mkdtempSync(join(tmpdir(), 'pitwall-own-redis-'));
  readonly #socket = join(this.#dir, 'r.sock');
  #child: ChildProcess | null = null;
  #connection: Redis | null = null;

  private constructor() {
    this.url = `unix://${this.#socket}`;
  }

  static async open(): Promise<OwnRedis> {
    const redis = new OwnRedis();
    await redis.start();
    return redis;
  }

  /** `more` are settings of this start. Resolves when it has bound its socket: with much to load it does not answer yet. */
  async start(more: string[] = []): Promise<void> {
    const settings = ['--port', '0', '--unixsocket', this.#socket, '--dir', this.#dir, '--save', ''];
    const child = spawn('redis-server', [...settings, '--appendonly', 'yes', '--appendfsync', 'always', ...more]);
    this.#child = child;
    await new Promise<void>((resolve) =>
      child.stdout?.on('data', (chunk: Buffer) => /server initialized|ready to accept/i.test(chunk.toString()) && resolve()),
    );
  }

  /** Ends it as a crash or a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** A connection of the test's own. */
  async connection(): Promise<Redis> {
    this.#connection ??= connectCommands(this.url, () => {});
    await waitReady(this.#connection, 5_000);
    return this.#connection;
  }

  /** Takes no more writes, until `empty`. */
  async fill(): Promise<void> {
    await (await this.connection()).config('SET', 'maxmemory', '1');
  }

  async empty(): Promise<void> {
    await (await this.connection()).config('SET', 'maxmemory', '0');
  }

  async close(): Promise<void> {
    this.#connection?.disconnect();
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
