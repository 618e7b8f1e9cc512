import { access, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { DEFAULT_SEARCH_PATH } from './git.ts';
import { type CommandEnd, runCommand } from './process.ts';

/** A sandbox that was tried and works, as data for `runSandboxed`. */
export interface Sandbox {
  /** Path of bubblewrap. */
  program: string;
  /** Whether bubblewrap can forbid user namespaces inside. */
  noNesting: boolean;
}

/** What the probe found. `why` is for people: what fails and what to do, or what holds. */
export type Probe = { ok: true; why: string; sandbox: Sandbox } | { ok: false; why: string };

/** What one command may use. */
export interface SandboxLimits {
  /** Bytes of data segment of one process. */
  data: number;
  processes: number;
  /** Seconds of processor time of one process. */
  cpuSeconds: number;
  /** Milliseconds. */
  wallMs: number;
  /** Bytes of one file. */
  file: number;
  /** Bytes of output; what comes after ends the command. */
  output: number;
}

/** A command, and what it may see and use. */
export interface SandboxRequest {
  /** Run by `/bin/sh`. */
  command: string;
  /** The only directory of ours that is writable inside; it appears as /workspace. */
  dir: string;
  /** Where the command starts, relative to `dir`. */
  cwd?: string;
  /** Further directories, read-only, by the absolute path they have inside. */
  readOnly?: Record<string, string>;
  /** Added to the fixed environment. */
  environment?: Record<string, string>;
  limits?: Partial<SandboxLimits>;
  signal?: AbortSignal;
}

/** How a command ended; `code` is null where it was killed. */
export interface SandboxEnd {
  code: number | null;
  /** Standard output and error, in the order they were written. */
  output: Buffer;
  timedOut: boolean;
  truncated: boolean;
}

const MIB = 1024 ** 2;
/** What a command may use where nothing else is said. */
export const SANDBOX_LIMITS: SandboxLimits = {
  data: 1024 * MIB,
  processes: 256,
  cpuSeconds: 60,
  wallMs: 120_000,
  file: 100 * MIB,
  output: MIB,
};

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/tmp',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  CI: '1',
};
const SYSTEM_DIRS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/opt'];
const SYSTEM_FILES = [
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'alternatives',
  'passwd',
  'group',
  'nsswitch.conf',
  'localtime',
  'mime.types',
].map((name) => `/etc/${name}`);
const WATCH_MS = 200;

/**
 * Tries bubblewrap for real: a command in it must work, see no environment, no network and no file of ours. Where anything fails, tools that run commands
 * have to be denied with `why`.
 */
export async function probeSandbox({ searchPath = DEFAULT_SEARCH_PATH }: { searchPath?: string } = {}): Promise<Probe> {
  const program = await findProgram('bwrap', searchPath);
  if (!program)
    return { ok: false, why: 'bubblewrap is not installed: install the package `bubblewrap`. Until then agents cannot run commands.' };
  if (!(await findProgram('prlimit', ENVIRONMENT.PATH))) {
    return { ok: false, why: 'prlimit is not installed: install the package `util-linux`. Until then agents cannot run commands.' };
  }
  const dir = await mkdtemp(join(tmpdir(), 'pitwall-probe-'));
  try {
    const help = await runCommand(program, ['--help'], { env: {}, timeoutMs: 5_000, maxOutput: MIB, mergeErrors: true });
    const sandbox: Sandbox = { program, noNesting: help.stdout.includes('--disable-userns') };
    return await tryOut(sandbox, dir);
  } catch (error) {
    return { ok: false, why: `bubblewrap cannot be started: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function tryOut(sandbox: Sandbox, dir: string): Promise<Probe> {
  const checks = [
    'echo written > here && cat here',
    `grep -qa . /proc/1/environ && echo ENVIRONMENT`,
    `test -e ${quote(dir)} && echo FILES`,
    `tail -n +3 /proc/net/dev | grep -v '^ *lo:' && echo NETWORK`,
    'test -w /proc/sysrq-trigger -o -w /proc/sys/kernel/panic && echo KERNEL',
    'echo probe-end',
  ];
  const end = await runSandboxed(sandbox, {
    command: checks.join('; '),
    dir,
    limits: { wallMs: 10_000 },
  });
  const said = end.output.toString('utf8').trim();
  if (said === 'written\nprobe-end')
    return { ok: true, why: 'bubblewrap works: no network, no environment, no files but the workspace.', sandbox };
  const hint = /namespace|uid map|permission|not permitted/i.test(said)
    ? ' Allow unprivileged user namespaces (kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, or a container that may make them).'
    : '';
  return {
    ok: false,
    why: `bubblewrap does not confine here, so agents cannot run commands: ${said.slice(0, 500) || 'it said nothing'}.${hint}`,
  };
}

/**
 * Runs a command with nothing but system directories (read-only), its own directory, a private /tmp and limits. Bubblewrap itself is started with an empty
 * environment, because /proc/1/environ shows the one it was started with. /proc is read-only, because where the app is root the kernel's switches in it are writable
 * even for a process without capabilities. Everything the command started ends with it.
 */
export async function runSandboxed(sandbox: Sandbox, request: SandboxRequest): Promise<SandboxEnd> {
  const limits = { ...SANDBOX_LIMITS, ...request.limits };
  const args = [...(await confine(sandbox, request)), '--', ...limited(limits), '/bin/sh', '-c', `exec 2>&1\n${request.command}`];
  const watch = new AbortController();
  const end = await runCommand(sandbox.program, args, {
    cwd: '/',
    env: {},
    signal: request.signal,
    timeoutMs: limits.wallMs,
    maxOutput: limits.output,
    mergeErrors: true,
    onStart: (pid, kill) => void watchProcesses(pid, { most: limits.processes, kill, signal: watch.signal }),
  }).finally(() => watch.abort());
  return outcome(end);
}

function outcome({ code, stdout, timedOut, truncated }: CommandEnd): SandboxEnd {
  return { code, output: stdout, timedOut, truncated };
}

async function confine(sandbox: Sandbox, { dir, cwd = '.', readOnly = {}, environment = {} }: SandboxRequest): Promise<string[]> {
  const inside = posix.normalize(`/workspace/${cwd}`);
  if (inside !== '/workspace' && !inside.startsWith('/workspace/'))
    throw new Error(`the command would start outside of its workspace: ${cwd}`);
  const variables = Object.entries({ ...ENVIRONMENT, ...environment });
  return [
    ...[
      '--unshare-all',
      '--unshare-user',
      '--die-with-parent',
      '--new-session',
      '--hostname',
      'workspace',
      '--cap-drop',
      'ALL',
      '--clearenv',
    ],
    ...(sandbox.noNesting ? ['--disable-userns'] : []),
    ...variables.flatMap(([name, value]) => ['--setenv', name, value]),
    ...[...SYSTEM_DIRS, ...SYSTEM_FILES].flatMap((path) => ['--ro-bind-try', path, path]),
    ...[
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      '--size',
      String(16 * MIB),
      '--tmpfs',
      '/dev/shm',
      '--size',
      String(64 * MIB),
      '--tmpfs',
      '/tmp',
    ],
    ...['--bind', dir, '/workspace'],
    ...Object.entries(readOnly).flatMap(([at, from]) => ['--ro-bind', from, at]),
    ...['--remount-ro', '/dev', '--remount-ro', '/proc', '--remount-ro', '/', '--chdir', inside],
  ];
}

function limited(limits: SandboxLimits): string[] {
  return [
    'prlimit',
    `--data=${limits.data}`,
    `--nproc=${limits.processes}`,
    `--cpu=${limits.cpuSeconds}`,
    `--fsize=${limits.file}`,
    '--core=0',
    '--',
  ];
}

/** The kernel exempts root from the limit of processes, so they are counted as well. Never throws. */
async function watchProcesses(pid: number, { most, kill, signal }: { most: number; kill(): void; signal: AbortSignal }): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const look = setInterval(() => {
    void countBelow(pid, most).then((count) => {
      if (count > most && !signal.aborted) kill();
    });
  }, WATCH_MS);
  signal.addEventListener('abort', () => clearInterval(look), { once: true });
}

/** How many processes descend from one; stops counting above `most`. */
async function countBelow(pid: number, most: number): Promise<number> {
  const queue = [pid];
  let count = 0;
  for (let next = queue.pop(); next !== undefined && count <= most; next = queue.pop()) {
    count++;
    const threads = await readdir(`/proc/${next}/task`).catch(() => []);
    for (const thread of threads) {
      const children = await readFile(`/proc/${next}/task/${thread}/children`, 'utf8').catch(() => '');
      queue.push(...children.split(' ').filter(Boolean).map(Number));
    }
  }
  return count;
}

async function findProgram(name: string, searchPath: string): Promise<string | null> {
  for (const dir of searchPath.split(':').filter(Boolean)) {
    const file = join(dir, name);
    const seen = await stat(file).catch(() => null);
    if (
      seen?.isFile() &&
      (await access(file).then(
        () => true,
        () => false,
      ))
    )
      return file;
  }
  return null;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
