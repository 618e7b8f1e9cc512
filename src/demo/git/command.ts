import { spawn } from 'node:child_process';

/** Where git is looked for: nothing else of the surrounding environment reaches it. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin';

/** How one git command is run. `expect` lists the exit codes that are no failure (default 0). */
export interface GitOptions {
  input?: string | Buffer;
  expect?: number[];
  env?: Record<string, string>;
}

/** A git command that ended with an unexpected code; `stderr` is what git said. */
export class GitFailure extends Error {
  readonly code: number | null;
  readonly stderr: string;

  constructor(args: readonly string[], code: number | null, stderr: string) {
    super(`git ${args.slice(0, 3).join(' ')} ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    this.name = 'GitFailure';
    this.code = code;
    this.stderr = stderr;
  }
}

/**
 * The whole environment of a git process: no settings of the machine or of its user, only those of `configFile`. They must come by file, because git does
 * not hand settings from the environment on to the upload-pack that it starts in another repository.
 */
export function gitEnvironment(configFile: string): Record<string, string> {
  return {
    PATH: SEARCH_PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: configFile,
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Runs git in `dir` and resolves with what it wrote. Throws GitFailure. */
export function runGit(dir: string, args: readonly string[], options: GitOptions & { configFile: string }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const env = { ...gitEnvironment(options.configFile), ...options.env };
    const child = spawn('git', ['-C', dir, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
    child.on('error', reject);
    child.on('close', (code) => {
      if ((options.expect ?? [0]).includes(code ?? -1)) resolve(Buffer.concat(out));
      else reject(new GitFailure(args, code, Buffer.concat(err).toString()));
    });
  });
}
