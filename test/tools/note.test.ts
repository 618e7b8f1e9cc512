import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeMemory } from '../../src/store/memory.ts';
import { makeScratchpads } from '../../src/store/scratchpads.ts';
import { ownPlace } from '../store/place.ts';
import { call, fault, makeContext } from './call-context.ts';

const { redis, keys } = ownPlace('tools-note');
describe('scratchpads', () => {
  const open = (run: string = randomUUID()) => {
    let calls = 0;
    return (name: string, input: unknown = {}) =>
      call(makeContext({ run, key: `k${calls++}`, pads: makeScratchpads(redis, keys, run) }), name, input);
  };

  it('are written, appended to with line breaks, read and listed', async () => {
    const use = open();
    expect(await use('list_scratchpads')).toBe('There are no scratchpads yet.');
    await use('append_scratchpad', { name: 'findings', content: '{"n":1}' });
    await use('append_scratchpad', { scratchpad: 'findings', text: '{"n":2}\n' });
    await use('append_scratchpad', { name: 'findings', content: { n: 3 } });
    expect(await use('read_scratchpad', { name: 'findings' })).toBe('{"n":1}\n{"n":2}\n{"n":3}');
    await use('write_scratchpad', { name: 'chunk1', content: '' });
    expect(await use('read_scratchpad', { name: 'chunk1' })).toBe('');
    expect(await use('list_scratchpads')).toBe('chunk1 (0 characters)\nfindings (23 characters)');
  });

  it('take parallel entries whole, and a repeated call changes nothing', async () => {
    const run = randomUUID();
    const pads = makeScratchpads(redis, keys, run);
    const append = (k: number) => call(makeContext({ run, pads, key: `d${k}` }), 'append_scratchpad', { name: 'p', content: `entry ${k}` });
    await Promise.all(Array.from({ length: 40 }, (_, k) => append(k)));
    await Promise.all([append(3), append(4)]);
    const rows = (await pads.read('p'))?.split('\n') ?? [];
    expect(rows.toSorted()).toEqual(Array.from({ length: 40 }, (_, k) => `entry ${k}`).toSorted());
  });

  it('say which there are where one is missing, and keep the runtime’s own apart', async () => {
    const use = open();
    expect(await fault(use('read_scratchpad', { name: 'x' }))).toContain('There are none yet');
    await use('write_scratchpad', { name: 'review-chunk1', content: 'a' });
    expect(await fault(use('read_scratchpad', { name: 'chunk1' }))).toContain('There are: review-chunk1.');
    for (const name of ['read_scratchpad', 'write_scratchpad', 'append_scratchpad'])
      expect(await fault(use(name, { name: '.pitwall/submission', content: 'x' }))).toContain('reserved');
  });

  it('are read whole up to 1 MiB', async () => {
    const use = open();
    const entry = `${'ü'.repeat(300_000)}\n`;
    await use('write_scratchpad', { name: 'big', content: entry });
    expect(await use('read_scratchpad', { name: 'big' })).toBe(entry);
    await use('append_scratchpad', { name: 'big', content: entry });
    const cut = await use('read_scratchpad', { name: 'big' });
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024 * 1024);
    expect(cut).toMatch(/\n\[cut: \d+ of 1200002 bytes are shown; for the rest: /);
    expect(await fault(use('append_scratchpad', { name: 'big', content: 'x'.repeat(1024 * 1024 + 1) }))).toContain('write several');
  });
});

describe('memory', () => {
  const memory = () => makeMemory(redis, keys, { repository: 7, agent: 'reviewer' });
  let calls = 0;
  const use = (name: string, input: unknown) => call(makeContext({ memory: memory(), key: `m${calls++}` }), name, input);

  it('is read by title whatever the case, and replaced by the same title', async () => {
    expect(await fault(use('memory_read', { title: 'style' }))).toContain('no memories yet');
    await use('memory_write', { title: 'Code Style', content: 'tabs' });
    await use('memory_write', { title: 'CODE style', content: 'spaces' });
    expect(await use('memory_read', { title: ' code STYLE ' })).toBe('# CODE style\nspaces');
    expect(await fault(use('memory_read', { title: 'tests' }))).toContain('Titles: CODE style.');
    expect(await fault(use('memory_write', { title: ' ', content: 'x' }))).toContain('title: ');
    expect(await fault(use('memory_write', { title: 'a', content: 'x'.repeat(20_000) }))).toContain('at most 16384 bytes');
  });
});
