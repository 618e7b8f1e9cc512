import { describe, expect, it } from 'vitest';
import { eachPair } from './stores.ts';

eachPair('pads', (pair) => {
  describe('a scratchpad', () => {
    it('is read by all agents of its run and by no other run', async () => {
      await pair.first.pads('r1').write('plan', 'one\ntwo', 'k1');
      expect(await pair.second.pads('r1').read('plan')).toBe('one\ntwo');
      expect(await pair.second.pads('r2').read('plan')).toBeNull();
      await pair.second.pads('r1').write('plan', '', 'k2');
      expect(await pair.first.pads('r1').read('plan')).toBe('');
    });

    it('keeps every line of parallel writers, each whole', async () => {
      const lines = Array.from({ length: 80 }, (_, k) => `line ${k} ${'ä'.repeat(k)}`);
      await Promise.all(
        lines.map((line, k) => (k % 2 ? pair.first : pair.second).pads('parallel').append('log', k % 3 ? line : `${line}\n`, `key ${k}`)),
      );
      const text = (await pair.first.pads('parallel').read('log')) ?? '';
      expect(text.replace(/\n$/, '').split('\n').sort()).toEqual([...lines].sort());
    });

    it('is not changed by a call that is repeated after a crash, whatever came since', async () => {
      const pads = pair.first.pads('repeat');
      await pads.append('log', 'a', 'call 1');
      await pads.append('log', 'b', 'call 2');
      await pair.second.pads('repeat').append('log', 'a', 'call 1');
      expect(await pads.read('log')).toBe('a\nb');
      await pads.write('log', 'new', 'call 3');
      await pads.write('log', 'newer', 'call 4');
      await pair.second.pads('repeat').write('log', 'new', 'call 3');
      expect(await pads.read('log')).toBe('newer');
    });

    it('is listed with its size, by name, whatever the name', async () => {
      const pads = pair.first.pads('list');
      expect(await pads.list()).toEqual([]);
      for (const name of ['b', '__proto__', 'a b/ä', 'constructor']) await pads.write(name, name, `key ${name}`);
      expect(await pads.list()).toEqual(['__proto__', 'a b/ä', 'b', 'constructor'].map((name) => ({ name, size: name.length })));
      expect(await pads.read('__proto__')).toBe('__proto__');
    });
  });

  describe('a memory', () => {
    it('belongs to one agent and one repository, and is found by title without case', async () => {
      const memory = pair.first.memory(1, 'reviewer');
      await memory.write(' Build steps ', 'npm ci', 'm1');
      expect(await pair.second.memory(1, 'reviewer').read('build STEPS')).toEqual([{ title: 'Build steps', content: 'npm ci' }]);
      expect(await pair.second.memory(2, 'reviewer').read('Build steps')).toEqual([]);
      expect(await pair.second.memory(1, 'other').all()).toEqual([]);
      await memory.write('build steps', 'npm test', 'm2');
      expect(await memory.read('Build steps')).toEqual([{ title: 'build steps', content: 'npm test' }]);
    });

    it('is not changed by a call that is repeated after a crash', async () => {
      const memory = pair.first.memory(3, 'reviewer');
      await memory.write('a', 'mine', 'run1/call 1');
      await pair.second.memory(3, 'reviewer').write('a', 'newer', 'run2/call 1');
      await memory.write('a', 'mine', 'run1/call 1');
      expect(await memory.read('a')).toEqual([{ title: 'a', content: 'newer' }]);
    });

    it('holds 500 titles, of which the oldest go first; newest are told first', async () => {
      const memory = pair.first.memory(4, 'reviewer');
      for (let k = 0; k < 500; k++) await memory.write(`T${k}`, '', `o${k}`);
      const before = await memory.all();
      const oldest = before.at(-1)?.title ?? '';
      await memory.write('new', 'text', 'm9');
      const all = await memory.all();
      expect(all).toHaveLength(500);
      expect(all[0]).toMatchObject({ title: 'new', content: 'text' });
      expect(await memory.read(oldest)).toEqual([]);
      expect(await memory.read(before.at(-2)?.title ?? '')).toHaveLength(1);
    });
  });
});
