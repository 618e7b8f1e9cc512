import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { makeAlone } from '../src/alone.ts';
import { readConfig } from '../src/config.ts';

it('a process of its own is started from the sources too, as under npm run dev, and says how its work ended', async () => {
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
  expect(await makeAlone(config)({ wake: 'run', id: 'rnone' }, signal)).toEqual({ end: 'done' });
});
