import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { makeAlone } from '../src/alone.ts';
import { readConfig } from '../src/config.ts';

/** The processes of their own that this one has started. */
function processesOfThis(): number[] {
  const rows = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`], { encoding: 'utf8' }).split('\n');
  return rows.flatMap((row) => (row.includes('child.ts') ? [Number.parseInt(row, 10)] : []));
}

it('a process of its own is started from the sources too, as under npm run dev, says how its work ended, does the next, and ends where none comes', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pitwall-alone-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const config = readConfig({
    PATH: process.env.PATH,
    APP_ID: '1',
    PRIVATE_KEY: privateKey,
    WEBHOOK_SECRET: 'a secret of sixteen characters',
    ANTHROPIC_API_KEY: 'key',
    PITWALL_REDIS_URL: inject('redisUrl'),
    PITWALL_REDIS_PREFIX: `alone-${randomUUID()}`,
    PITWALL_DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
  });
  const { signal } = new AbortController();
  const alone = makeAlone(config);
  expect(await alone({ wake: 'run', id: 'rnone' }, signal)).toEqual({ end: 'done' });
  const [first] = processesOfThis();
  expect(await alone({ wake: 'run', id: 'rother' }, signal)).toEqual({ end: 'done' });
  expect(processesOfThis()).toEqual([first]);
  await expect.poll(processesOfThis).toEqual([]);
});
