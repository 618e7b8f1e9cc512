import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeSandbox, runSandboxed, type SandboxRequest } from '../../src/workspace/sandbox.ts';
import { scratch } from './remote.ts';

const { root, remove } = scratch();
const other = scratch();
afterAll(remove);
afterAll(other.remove);
writeFileSync(join(other.root, 'secret'), 'hidden');

const probe = await probeSandbox();
const run = async (command: string, options: Partial<SandboxRequest> = {}) => {
  if (!probe.ok) throw new Error(probe.why);
  const end = await runSandboxed(probe.sandbox, { command, dir: root, ...options });
  return { ...end, text: end.output.toString().trim() };
};

describe('probeSandbox', () => {
  it('says what to install where bubblewrap is missing', async () => {
    expect(await probeSandbox({ searchPath: root })).toEqual({
      ok: false,
      why: expect.stringContaining('install the package `bubblewrap`'),
    });
  });

  it('works, or names what this machine lacks', () => {
    expect(probe.ok ? probe.sandbox.program : probe.why).toMatch(
      probe.ok ? /bwrap$/ : /install the package|Allow unprivileged user namespaces/,
    );
  });

  it('refuses a bubblewrap that does not confine', async () => {
    const fake = scratch();
    writeFileSync(
      join(fake.root, 'bwrap'),
      '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; [ $# -eq 0 ] && exit; done; shift; cd /tmp; exec "$@"\n',
      { mode: 0o755 },
    );
    const found = await probeSandbox({ searchPath: fake.root });
    fake.remove();
    expect(found).toEqual({ ok: false, why: expect.stringMatching(/does not confine here.*FILES/s) });
  });
});

describe.skipIf(!probe.ok)('runSandboxed', () => {
  it('works in its directory', async () => {
    expect(await run('echo out; echo err >&2; pwd; echo x > made; exit 3')).toMatchObject({
      code: 3,
      text: 'out\nerr\n/workspace',
      timedOut: false,
      truncated: false,
    });
    expect(readFileSync(join(root, 'made'), 'utf8')).toBe('x\n');
    expect((await run('mkdir -p a/b; cd a/b; pwd; git --version')).text).toMatch(/^\/workspace\/a\/b\ngit version/);
    expect((await run('pwd', { cwd: 'a/b' })).text).toBe('/workspace/a/b');
    await expect(run('pwd', { cwd: '../..' })).rejects.toThrow(/outside/);
  });

  it('has no environment but a fixed list, even by /proc/1/environ', async () => {
    expect((await run('cat /proc/1/environ | wc -c')).text).toBe('0');
    const names = (await run('env')).text.split('\n').map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['CI', 'HOME', 'LANG', 'PATH', 'PWD', 'TERM']);
  });

  it('has no network', async () => {
    const server = createServer((_, response) => response.end('reached'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const port = (server.address() as AddressInfo).port;
    const end = await run(
      `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "127.0.0.1:${port}") ? "reached" : "refused: $!"'`,
    );
    server.close();
    expect(end.text).toMatch(/^refused/);
  });

  it.each([
    ['a file elsewhere', `cat ${join(other.root, 'secret')}`],
    ['the home of root', 'ls /root'],
    ["the host's files by way of a process", 'cat /proc/1/root/root/.profile /proc/1/cwd/root/.profile'],
    ['shadow', 'cat /etc/shadow'],
    ['a link to the outside', `ln -sf ${join(other.root, 'secret')} l; cat l`],
  ])('cannot read %s', async (_, command) => {
    const end = await run(command);
    expect(end.code).not.toBe(0);
    expect(end.text).not.toContain('hidden');
  });

  it.each([
    'touch /usr/x',
    'touch /x',
    'touch /dev/x',
    'test -w /proc/sys/kernel/panic',
    'test -w /proc/sysrq-trigger',
    'v=$(cat /proc/sys/kernel/panic); echo $v > /proc/sys/kernel/panic',
    'mount -t tmpfs x /workspace',
    'unshare -U true',
    'head -c 80m /dev/zero > /tmp/x',
    'head -c 20m /dev/zero > /dev/shm/x',
  ])('refuses %s', async (command) => expect((await run(command)).code).not.toBe(0));

  it('sees only its own processes, and ends all of them', async () => {
    expect(Number((await run('ls -d /proc/[0-9]* | wc -l')).text)).toBeLessThan(10);
    expect(await run('sleep 300.321 & (setsid sleep 300.321 &) ; echo done')).toMatchObject({ text: 'done', timedOut: false });
    expect(commandLines().filter((line) => line.startsWith('sleep 300.321'))).toEqual([]);
  });

  it('is limited in time, output, memory, files and processes', async () => {
    expect(await run('setsid sleep 301.321', { limits: { wallMs: 300 } })).toMatchObject({ code: null, timedOut: true });
    const flood = await run('yes', { limits: { output: 5000 } });
    expect(flood).toMatchObject({ truncated: true });
    expect(flood.output).toHaveLength(5000);
    expect((await run('while :; do :; done', { limits: { cpuSeconds: 1 } })).code).not.toBe(0);
    expect((await run('perl -e \'$x = "x" x 200_000_000; print 1\'', { limits: { data: 64 * 1024 ** 2 } })).code).not.toBe(0);
    expect((await run('head -c 2m /dev/zero > big', { limits: { file: 1024 ** 2 } })).code).not.toBe(0);
    const bomb = await run('for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 20.321 & done; wait', {
      limits: { processes: 10, wallMs: 15_000 },
    });
    expect(bomb.timedOut).toBe(false);
    expect(bomb.code === null || /fork|resource/i.test(bomb.text)).toBe(true);
    expect(commandLines().filter((line) => /^sleep (20.321|301.321)/.test(line))).toEqual([]);
  });

  it('ends when it is told to', async () => {
    const abort = new AbortController();
    const running = run('sleep 302', { signal: abort.signal });
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect((await run('ls /workspace; cat /data/secret', { readOnly: { '/data': other.root } })).text).toMatch(/hidden$/);
  });
});

/** What runs on this machine. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
      } catch {
        return [];
      }
    });
}
