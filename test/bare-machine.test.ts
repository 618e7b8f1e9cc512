import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';
/** Root may have a Node that nobody else can start. */
const canBeNobody = !isRoot || spawnSync(process.execPath, ['--version'], { uid: NOBODY, gid: NOBODY }).status === 0;

/** A machine's programs in a folder of their own: empty ones, and package managers that write down what they are asked for. */
class Machine {
  readonly dir = mkdtempSync(join(tmpdir(), 'pitwall-bare-'));
  readonly bin = join(this.dir, 'bin');
  readonly #log = join(this.dir, 'log');
  readonly #script = join(this.dir, 'checkout', '.ci', 'need.mjs');

  constructor() {
    for (const dir of [this.bin, join(this.dir, 'checkout', '.ci')]) mkdirSync(dir, { recursive: true });
    chmodSync(this.dir, 0o755);
    copyFileSync(join(ROOT, '.ci/need.mjs'), this.#script);
    writeFileSync(this.#log, '');
    chmodSync(this.#log, 0o666);
    this.has('env', 'while [ "${1#*=}" != "$1" ]; do shift; done; exec "$@"');
  }

  has(name: string, script = 'exit 0'): this {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.bin, name), 0o755);
    return this;
  }

  /** A package manager that installs what it is asked for; `refuses` are packages that it does not know. */
  hasAptGet(refuses: string[] = []): this {
    chmodSync(this.bin, 0o777);
    const program = (name: string) => `printf '#!/bin/sh\\n' > ${this.bin}/${name}; /bin/chmod 755 ${this.bin}/${name}`;
    return this.has(
      'apt-get',
      [
        `echo "apt-get $*" >> ${this.#log}`,
        ...refuses.map((name) => `case " $* " in *" ${name} "*) echo "E: Unable to locate package ${name}" >&2; exit 100;; esac`),
        `case "$*" in *install*) for name in "$@"; do case $name in`,
        `redis-server) ${program('redis-server')};; bubblewrap) ${program('bwrap')};; ripgrep) ${program('rg')};; chromium) ${program('chromium')};;`,
        'esac; done;; esac',
      ].join('\n'),
    );
  }

  need(purposes: string[], { as = 'me', env = {} }: { as?: 'me' | 'nobody'; env?: Record<string, string> } = {}) {
    const who = as === 'nobody' && isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    const end = spawnSync(process.execPath, [this.#script, ...purposes], { env: { PATH: this.bin, ...env }, encoding: 'utf8', ...who });
    const asked = readFileSync(this.#log, 'utf8').replaceAll(' -o DPkg::Lock::Timeout=60', '').split('\n').filter(Boolean);
    return { code: end.status, out: end.stdout, told: end.stderr, asked };
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

const INSTALL = 'apt-get install -y --no-install-recommends';
const LINE = /^To install: {2}(?:sudo )?(.*)$/m;

describe('what the machine lacks', () => {
  it('is not spoken of where nothing is missing', () => {
    for (const name of ['redis-server', 'rg', 'bwrap']) machine.has(name);
    expect(machine.hasAptGet().need(['demo', 'test'])).toEqual({ code: 0, out: '', told: '', asked: [] });
  });

  it('is not installed twice: what the npm packages brought counts', () => {
    const shipped = join(machine.dir, 'checkout', `node_modules/@vscode/ripgrep-${process.platform}-${process.arch}/bin`);
    mkdirSync(shipped, { recursive: true });
    writeFileSync(join(shipped, 'rg'), '');
    chmodSync(join(shipped, 'rg'), 0o755);
    for (const name of ['redis-server', 'bwrap']) machine.has(name);
    expect(machine.hasAptGet().need(['test'])).toMatchObject({ code: 0, told: '', asked: [] });
  });

  it.skipIf(!isRoot || !isLinux)('is installed by root with apt-get, after an update (needs root)', () => {
    const first = machine.hasAptGet().need(['demo']);
    expect(first).toMatchObject({ code: 0, out: '', asked: ['apt-get update', `${INSTALL} redis-server ripgrep bubblewrap`] });
    expect(first.told).toMatch(/^Installing redis-server, ripgrep, bubblewrap with apt-get[\s\S]*Installed in \d+ s\.$/m);
    expect(machine.need(['demo', 'test'])).toMatchObject({ code: 0, told: '' });
    expect(machine.need(['browser']).asked.slice(2)).toEqual(['apt-get update', `${INSTALL} chromium`]);
  });

  it.skipIf(!isRoot)('is installed as far as the system has it; what is left is named with the line to type (needs root)', () => {
    for (const name of ['rg', 'bwrap']) machine.has(name);
    const end = machine.hasAptGet(['chromium']).need(['test', 'browser']);
    expect(end.asked.slice(1)).toEqual([`${INSTALL} redis-server chromium`, `${INSTALL} redis-server`, `${INSTALL} chromium`]);
    expect(end).toMatchObject({ code: 0, told: expect.stringContaining('Unable to locate package chromium') });
    expect(LINE.exec(end.told)?.[1]).toBe('apt-get update && apt-get install -y chromium');
  });

  it.skipIf(!isLinux || !canBeNobody)('is installed through sudo where that asks for no password', () => {
    machine.has('sudo', 'shift; [ "$1" = true ] && exit 0; exec "$@"').hasAptGet();
    const end = machine.need(['test'], { as: 'nobody' });
    expect(end).toMatchObject({ code: 0, asked: ['apt-get update', `${INSTALL} redis-server ripgrep bubblewrap`] });
    expect(end.told).toContain('with sudo -n apt-get');
  });

  it.skipIf(!isLinux || !canBeNobody).each([
    ['no sudo', null],
    ['a sudo that asks', 'exit 1'],
  ])('is only named with %s, and nothing is run', (_, sudo) => {
    machine.hasAptGet();
    if (sudo) machine.has('sudo', sudo);
    const end = machine.need(['demo'], { as: 'nobody' });
    expect(end).toMatchObject({ code: 1, out: '', asked: [] });
    expect(end.told).toContain('redis-server is not on the PATH, and is needed');
    expect(end.told).toContain('To install:  sudo apt-get update && sudo apt-get install -y redis-server ripgrep bubblewrap');
  });

  it('is only named where it is said that nothing may be installed', () => {
    const end = machine.hasAptGet().need(['demo'], { env: { NO_INSTALL: '1' } });
    expect(end).toMatchObject({ code: 1, asked: [], told: expect.stringMatching(LINE) });
  });

  it.skipIf(!isLinux).each([
    ['dnf', 'dnf install -y redis ripgrep bubblewrap'],
    ['apk', 'apk add redis ripgrep bubblewrap'],
    ['zypper', 'zypper install -y redis ripgrep bubblewrap'],
    ['brew', 'brew install redis ripgrep'],
  ])('with %s: %s', (manager, line) => {
    const end = machine.has(manager, 'exit 7').need(['test']);
    expect(end.code).toBe(1);
    expect(LINE.exec(end.told)?.[1]).toBe(line);
  });

  it('is no hindrance where there is something in its place, or it is only wanted', () => {
    machine.has('redis-server');
    expect(machine.need(['test']).code).toBe(0);
    rmSync(join(machine.bin, 'redis-server'));
    expect(machine.need(['demo'], { env: { PITWALL_REDIS_URL: 'redis://127.0.0.1:6379' } }).code).toBe(0);
    expect(machine.need(['test'], { env: { PITWALL_REDIS_URL: 'redis://127.0.0.1:6379' } }).code).toBe(1);
  });

  it.each([[[]], [['dmeo']]])('a purpose that is none (%j) is refused with those there are', (purposes) => {
    expect(machine.need(purposes)).toMatchObject({ code: 2, told: expect.stringContaining('demo, test, browser') });
  });
});

/** Runs a script where the named programs are gone from their folders: in a mount namespace, under an overlay that goes with it. */
function withoutPrograms(hidden: string[], script: string, env: Record<string, string>) {
  const dir = mkdtempSync(join(tmpdir(), 'pitwall-overlay-'));
  const folders = ['/usr/bin', '/usr/local/bin'].filter((folder) => existsSync(folder));
  const overlays = folders.map((folder, at) =>
    [
      `mkdir ${dir}/u${at} ${dir}/w${at} && mount -t overlay overlay -o lowerdir=${folder},upperdir=${dir}/u${at},workdir=${dir}/w${at} ${folder}`,
      `rm -f ${hidden.map((name) => `${folder}/${name}`).join(' ')}`,
    ].join(' && '),
  );
  const user = isRoot ? [] : ['--user', '--map-root-user'];
  const all = [`mount -t tmpfs tmpfs ${dir}`, ...overlays, 'echo the machine is bare', script].join(' && ');
  const end = spawnSync('unshare', [...user, '--mount', 'sh', '-c', all], { cwd: ROOT, env, encoding: 'utf8', timeout: 50_000 });
  rmSync(dir, { recursive: true, force: true });
  return { code: end.status, out: end.stdout ?? '', told: `${end.stderr ?? ''}${end.error?.message ?? ''}` };
}

describe('a machine without redis-server, ripgrep and bubblewrap', () => {
  const gone = ['redis-server', 'valkey-server', 'rg', 'bwrap'];
  const path = process.env.PATH ?? '';

  it('npm run demo -- --once installs what it needs and reviews', (context) => {
    if (withoutPrograms(gone, 'true', { PATH: path }).code !== 0) context.skip('mount namespaces with an overlay are not allowed here');
    const backup = mkdtempSync(join(tmpdir(), 'pitwall-backup-'));
    try {
      const redis = path
        .split(':')
        .map((folder) => join(folder, 'redis-server'))
        .find(existsSync);
      if (!redis) return context.skip('redis-server is not on the PATH');
      copyFileSync(redis, join(backup, 'redis-server'));
      const log = join(backup, 'log');
      writeFileSync(join(backup, 'apt-get'), `#!/bin/sh\necho "$*" >> ${log}\ncp ${backup}/redis-server /usr/bin/redis-server\n`);
      for (const name of ['apt-get', 'redis-server']) chmodSync(join(backup, name), 0o755);
      const tools = join(backup, 'tools');
      mkdirSync(tools);
      copyFileSync(join(backup, 'apt-get'), join(tools, 'apt-get'));
      chmodSync(join(tools, 'apt-get'), 0o755);
      const env = { PATH: `${tools}:${path}`, HOME: backup, npm_config_update_notifier: 'false' };
      const end = withoutPrograms(gone, 'npm run --silent demo -- --once && ! command -v bwrap && ! command -v rg', env);
      expect(end.code, end.told).toBe(0);
      expect(end.out).toMatch(/^the machine is bare[\s\S]*Planted faults: (?:9|10) of 10 found/);
      expect(readFileSync(log, 'utf8')).toMatch(/update\n.*install .*redis-server bubblewrap\n/);
      expect(existsSync(redis)).toBe(true);
    } finally {
      rmSync(backup, { recursive: true, force: true });
    }
  });

  it('without anybody who may install, the demo ends with the line to type', (context) => {
    if (withoutPrograms(gone, 'true', { PATH: path }).code !== 0) context.skip('mount namespaces with an overlay are not allowed here');
    const end = withoutPrograms(gone, 'npm run --silent demo -- --once', { PATH: path, HOME: tmpdir(), NO_INSTALL: '1' });
    expect(end.code).not.toBe(0);
    expect(end.told).toMatch(/redis-server is not on the PATH, and is needed/);
    const plain = withoutPrograms(gone, 'node dist/cli.js demo --once', { PATH: path, HOME: tmpdir() });
    expect(plain).toMatchObject({
      code: 1,
      told: expect.stringMatching(/install redis-server and Pitwall starts its own:\n.*apt-get install/),
    });
  });
});
