import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');

/** Processes of this machine that name a folder on their command line or have it as a place for temporary files. */
function processesWith(folder: string): string[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.flatMap((id) => {
    try {
      const line = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const places = readFileSync(`/proc/${id}/environ`, 'utf8');
      return line.includes(folder) || places.includes(folder) ? [line] : [];
    } catch {
      return [];
    }
  });
}

it('stays up with its page, and leaves no process, port or file behind at Ctrl-C', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pitwall-leave-'));
  try {
    const child = spawn(process.execPath, [CLI, 'demo'], {
      env: { PATH: process.env.PATH, TMPDIR: folder, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    let told = '';
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const ready = new Promise<void>((done) =>
      child.stderr.on('data', (chunk: Buffer) => {
        told += chunk.toString();
        if (told.includes('Everything runs until Ctrl-C')) done();
      }),
    );
    await Promise.race([ready, ended]);
    const address = /Watch it in a browser: (\S+)/.exec(told)?.[1] ?? '';
    const page = await fetch(address);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Review summary')]);
    const events = await fetch(new URL('/events?pull=1', address));
    expect(printed).toMatch(/^Posted:\n {2}review +COMMENTED[\s\S]*Planted faults: (?:8|9|10) of 10 found/m);
    expect(told).not.toContain('Warning');
    const reach = /PITWALL_DATA_DIR=(\S+) pitwall runs/.exec(told)?.[1] ?? '';
    const pitwall = async (...words: string[]) => {
      const env = { PATH: process.env.PATH, HOME: folder, PITWALL_DATA_DIR: reach };
      return (await promisify(execFile)(process.execPath, [CLI, ...words], { env })).stdout;
    };
    const [, run = ''] = /^(r\w+) +Completed /m.exec(await pitwall('runs')) ?? [];
    expect(await pitwall('replay', run)).toContain('were derived again, the same as recorded');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await events.body?.cancel().catch(() => {});
    await expect(fetch(address)).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
    if (process.platform === 'linux') expect(processesWith(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
