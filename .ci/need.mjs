#!/usr/bin/env node
// Usage: node .ci/need.mjs demo|test|browser...
//
// Looks for the programs that the named purposes need besides Node and git. What is missing is installed with apt-get where that can be done without
// asking (root, or sudo without a password); elsewhere the one line to type is printed. Says nothing where nothing is missing. Exit code 1 where a program
// is still missing that the purpose cannot do without. NO_INSTALL=1 only prints. Has no dependencies: it runs before `npm ci` too.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** The one list. `needed`: purposes that fail without it; `wanted`: purposes that lose what `without` says. */
const PROGRAMS = [
  {
    name: 'redis-server',
    needed: ['demo', 'test'],
    wanted: [],
    without: 'Pitwall keeps everything in Redis',
    packages: { apt: 'redis-server', dnf: 'redis', apk: 'redis', zypper: 'redis', brew: 'redis' },
    instead: { demo: ['PITWALL_REDIS_URL'] },
  },
  {
    name: 'rg',
    needed: [],
    wanted: ['demo', 'test'],
    without: 'agents cannot search code',
    packages: { apt: 'ripgrep', dnf: 'ripgrep', apk: 'ripgrep', zypper: 'ripgrep', brew: 'ripgrep' },
    shipped: `node_modules/@vscode/ripgrep-${process.platform}-${process.arch}/bin/rg`,
  },
  {
    name: 'bwrap',
    needed: [],
    wanted: process.platform === 'linux' ? ['demo', 'test'] : [],
    without: 'agents cannot run commands, and the tests of the sandbox look at the refusal only',
    packages: { apt: 'bubblewrap', dnf: 'bubblewrap', apk: 'bubblewrap', zypper: 'bubblewrap' },
  },
  {
    name: 'chromium',
    aliases: ['chromium-browser', 'google-chrome'],
    needed: [],
    wanted: ['browser'],
    without: 'the browser tests are skipped',
    packages: { apt: 'chromium', dnf: 'chromium', apk: 'chromium', zypper: 'chromium', brew: 'chromium' },
  },
];

/** Package managers in the order they are looked for. Only apt-get is run by this script. */
const MANAGERS = [
  { id: 'apt', program: 'apt-get', line: 'apt-get update && {sudo}apt-get install -y', sudo: true },
  { id: 'dnf', program: 'dnf', line: 'dnf install -y', sudo: true },
  { id: 'apk', program: 'apk', line: 'apk add', sudo: true },
  { id: 'zypper', program: 'zypper', line: 'zypper install -y', sudo: true },
  { id: 'brew', program: 'brew', line: 'brew install', sudo: false },
];

const INSTALL_LIMIT_MS = 8 * 60_000;
const LAST_LINES = 12;

process.exitCode = provide(process.argv.slice(2));

/** Looks, installs or prints; answers the exit code. */
function provide(purposes) {
  const known = new Set(PROGRAMS.flatMap(({ needed, wanted }) => [...needed, ...wanted]).concat('browser'));
  const unknown = purposes.filter((purpose) => !known.has(purpose));
  if (purposes.length === 0 || unknown.length > 0) {
    say(`need: name what for, one or more of ${[...known].join(', ')}${unknown.length ? ` (not ${unknown.join(', ')})` : ''}`);
    return 2;
  }
  const missing = missingFor(purposes);
  if (missing.length === 0) return 0;
  const manager = MANAGERS.find(({ program }) => find([program]));
  const begin = manager?.id === 'apt' && !process.env.NO_INSTALL ? rootCommand() : null;
  if (begin) install(missing, begin);
  const left = begin ? missingFor(purposes) : missing;
  if (left.length > 0) explain(left, { purposes, manager });
  return left.some((program) => isNeeded(program, purposes)) ? 1 : 0;
}

function missingFor(purposes) {
  return PROGRAMS.filter((program) => {
    const asked = purposes.some((purpose) => program.wanted.includes(purpose)) || isNeeded(program, purposes);
    return asked && !find([program.name, ...(program.aliases ?? [])]) && !(program.shipped && isExecutable(join(ROOT, program.shipped)));
  });
}

function isNeeded({ needed, instead = {} }, purposes) {
  return purposes.some((purpose) => needed.includes(purpose) && !(instead[purpose] ?? []).some((variable) => process.env[variable]));
}

function find(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a command begins with that is to run as root: nothing, sudo, or null where nobody may without being asked. */
function rootCommand() {
  if (process.getuid?.() === 0) return [];
  return find(['sudo']) && run(['sudo', '-n', 'true']).ok ? ['sudo', '-n'] : null;
}

/** Those that are needed in one go; if that fails, and for the others, one by one, so that one that a system has not does not cost the rest. */
function install(missing, begin) {
  const began = Date.now();
  const names = missing.map(({ packages }) => packages.apt);
  say(`Installing ${names.join(', ')} with ${[...begin, 'apt-get'].join(' ')} (half a minute or so) ...`);
  const aptGet = (...args) => run([...begin, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=60', ...args]);
  const update = aptGet('update');
  const together = aptGet('install', '-y', '--no-install-recommends', ...names);
  const failed = together.ok ? [] : names.filter((name) => !aptGet('install', '-y', '--no-install-recommends', name).ok);
  if (failed.length > 0) say(tail([update, together].map(({ output }) => output).join('')));
  say(failed.length === 0 ? `Installed in ${Math.round((Date.now() - began) / 1000)} s.` : `Not installed: ${failed.join(', ')}.`);
}

function run([program, ...args]) {
  const path = find([program]) ?? program;
  const { status, stdout, stderr, error } = spawnSync(path, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: INSTALL_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}` };
}

function tail(text) {
  return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}

function explain(missing, { purposes, manager }) {
  for (const program of missing)
    say(`${program.name} is not on the PATH${isNeeded(program, purposes) ? ', and is needed' : ''}: ${program.without}.`);
  const names = missing.flatMap(({ packages }) => packages[manager?.id ?? 'apt'] ?? []);
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (!manager) say(`To install, with your package manager: ${names.join(' ')}`);
  else if (names.length > 0) say(`To install:  ${manager.sudo ? sudo : ''}${manager.line.replace('{sudo}', sudo)} ${names.join(' ')}`);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
