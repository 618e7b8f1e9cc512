import { constants } from 'node:fs';
import { access, mkdtemp, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../../workspace/process.ts';
import { probeSandbox } from '../../workspace/sandbox.ts';
import { findRipgrep } from '../../workspace/search.ts';
import { broken, type Check, type Finding, ok, warning } from './check.ts';

const GIB = 1024 ** 3;
const LEAST_NODE = [20, 19] as const;
const SCARCE = 5 * GIB;
const TOO_LITTLE = GIB / 2;

/** What the machine itself must have. `nodeVersion` is without the `v`. */
export interface Machine {
  nodeVersion: string;
  searchPath: string;
  dataDir: string;
}

/** Whether Node.js is new enough. */
export function checkNode({ nodeVersion }: Machine): Check {
  const name = 'Node.js';
  return {
    name,
    run() {
      const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
      const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
      return [
        enough
          ? ok(name, `version ${nodeVersion}`)
          : broken(name, `version ${nodeVersion}`, `Install Node.js ${LEAST_NODE.join('.')} or newer.`),
      ];
    },
  };
}

/** Whether git is there. */
export function checkGit({ searchPath }: Machine): Check {
  const fix = 'Install git (Debian: apt-get install git; macOS: brew install git), and have it on the PATH that Pitwall is started with.';
  return { name: 'git', run: () => askVersion('git', { program: 'git', searchPath, fix }) };
}

/** Whether ripgrep is there, which searches code. */
export function checkRipgrep({ searchPath }: Machine): Check {
  const fix = 'Run npm ci again without leaving out optional packages, or install ripgrep (Debian: apt-get install ripgrep).';
  return { name: 'ripgrep', run: async () => askVersion('ripgrep', { program: await findRipgrep(), searchPath, fix }) };
}

/** Whether commands of agents can be confined; without it they are not run, so it is a warning only. */
export function checkSandbox({ searchPath }: Machine): Check {
  const name = 'sandbox';
  return {
    name,
    async run() {
      const probe = await probeSandbox({ searchPath });
      if (probe.ok) return [ok(name, probe.why)];
      const [found = '', ...rest] = probe.why.split(/: (?=install)|(?<=\.) (?=Allow)/);
      const fix = rest.join(' ').trim();
      return [
        warning(
          name,
          found,
          fix ? sentenceOf(fix) : 'Install bubblewrap, or go on without: agents then cannot run commands, and reviews work.',
        ),
      ];
    },
  };
}

/** Whether the disk of the data folder has room. */
export function checkDisk({ dataDir }: Machine): Check {
  const name = 'disk';
  return {
    name,
    async run() {
      const there = await nearestFolder(dataDir);
      const { bavail, bsize } = await statfs(there);
      return [judgeDisk(bavail * bsize, dataDir)];
    },
  };
}

/** What so many free bytes mean for checkouts and Redis. */
export function judgeDisk(free: number, dataDir: string): Finding {
  const found = `${(free / GIB).toFixed(1)} GiB are free for ${dataDir}`;
  const fix = 'Make room there, or set PITWALL_DATA_DIR to a folder on a larger disk.';
  if (free < TOO_LITTLE) return broken('disk', found, fix);
  return free < SCARCE ? warning('disk', found, fix) : ok('disk', found);
}

/** Whether the data folder can be written, or made. */
export function checkDataFolder({ dataDir }: Machine): Check {
  const name = 'data folder';
  const fix = 'Give it to the user that Pitwall runs as, or set PITWALL_DATA_DIR to a folder that this user can write to.';
  return {
    name,
    async run() {
      const there = await nearestFolder(dataDir);
      try {
        await access(there, constants.W_OK);
        await rmdir(await mkdtemp(join(there, '.pitwall-doctor-')));
      } catch (error) {
        return [broken(name, `${dataDir} cannot be written (${codeOf(error)})`, fix)];
      }
      if (there !== dataDir) return [ok(name, `${dataDir} is not there yet and can be made`)];
      const open = ((await stat(dataDir)).mode & 0o077) !== 0;
      return [
        open ? warning(name, `${dataDir} can be read by other users`, `Run: chmod 700 ${dataDir}`) : ok(name, `${dataDir} can be written`),
      ];
    },
  };
}

async function askVersion(name: string, about: { program: string; searchPath: string; fix: string }): Promise<Finding[]> {
  const options = { env: { PATH: about.searchPath }, timeoutMs: 4_000, maxOutput: 64 * 1024 };
  const end = await runCommand(about.program, ['--version'], options).catch(() => null);
  const said = end?.stdout.toString('utf8').split('\n')[0]?.trim() ?? '';
  return [end?.code === 0 ? ok(name, said) : broken(name, 'it is not installed, or does not start', about.fix)];
}

/** The folder itself, or the nearest above it that is there. A file in its place counts as there. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => codeOf(error));
  const above = dirname(path);
  return (found === 'ENOENT' || found === 'ENOTDIR') && above !== path ? nearestFolder(above) : path;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function sentenceOf(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
