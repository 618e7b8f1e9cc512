import { type ChildProcess, spawn } from 'node:child_process';

/** How a program is run, and within which bounds. */
export interface CommandOptions {
  cwd?: string;
  /** The whole environment of the program; nothing of ours is handed on. */
  env: Record<string, string>;
  input?: Buffer | string;
  signal?: AbortSignal;
  /** Wall time in ms after which the process group is killed. */
  timeoutMs: number;
  /** Bytes of standard output after which the process group is killed and `truncated` is set. */
  maxOutput: number;
  /** How long a program may take to clean up after SIGTERM, in ms; 0 kills at once. */
  graceMs?: number;
  /** Standard error goes into standard output, in the order it was written. */
  mergeErrors?: boolean;
  /** Told the process id and how to end the group, right after the start. Must not throw. */
  onStart?: (pid: number, kill: () => void) => void;
}

/** How a program ended. `code` is null where a signal ended it. */
export interface CommandEnd {
  code: number | null;
  stdout: Buffer;
  stderr: string;
  timedOut: boolean;
  truncated: boolean;
}

const MAX_ERRORS = 64 * 1024;

/**
 * Runs a program in a process group of its own, so that what it started ends with it. Rejects where it cannot be started, and with the
 * signal's reason where it is aborted; every other end resolves.
 */
export function runCommand(program: string, args: string[], options: CommandOptions): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(reasonOf(options.signal));
    const child = spawn(program, args, { cwd: options.cwd, env: options.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const output = new Output(options.maxOutput, () => stop(child, options.graceMs));
    if (child.pid) options.onStart?.(child.pid, () => stop(child));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      stop(child, options.graceMs);
    }, options.timeoutMs);
    const abort = () => stop(child, options.graceMs);
    options.signal?.addEventListener('abort', abort, { once: true });
    const done = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
    };
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (options.mergeErrors) output.add(chunk);
      else if (stderr.length < MAX_ERRORS) stderr += chunk.toString('utf8');
    });
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('close', (code) => {
      done();
      if (options.signal?.aborted) reject(reasonOf(options.signal));
      else resolve({ code, stdout: output.bytes(), stderr, timedOut, truncated: output.full });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** What a program wrote, up to a limit. */
class Output {
  full = false;
  readonly #chunks: Buffer[] = [];
  readonly #max: number;
  readonly #overflow: () => void;
  #size = 0;

  constructor(max: number, overflow: () => void) {
    this.#max = max;
    this.#overflow = overflow;
  }

  add(chunk: Buffer): void {
    if (this.full) return;
    const room = this.#max - this.#size;
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    this.#size += Math.min(chunk.length, room);
    if (chunk.length > room) {
      this.full = true;
      this.#overflow();
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(`aborted: ${String(signal.reason)}`);
}

function stop(child: ChildProcess, graceMs = 0): void {
  killGroup(child, graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
  if (graceMs <= 0) return;
  const timer = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs);
  child.once('close', () => clearTimeout(timer));
}

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
