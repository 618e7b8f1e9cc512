import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packTape, readTape, TapeFileError, writeTape } from '../../../src/run/replay/tape-file.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../fixtures/runs/small-review.jsonl'), 'utf8');
const lines = text.trimEnd().split('\n');
const read = (content: string | string[]) => readTape(Buffer.from(Array.isArray(content) ? content.join('\n') : content));
const header = (change: object) => [JSON.stringify({ ...(JSON.parse(lines[0] ?? '') as object), ...change }), ...lines.slice(1)];

describe('a recorded run as a file', () => {
  it('is read as it was written, compressed or not', () => {
    const tape = { ...read(text), blobs: new Map([['d', Buffer.from([0, 255, 10])]]), orders: new Map([['r', 'because']]) };
    const written = writeTape(tape, '0.1.0');
    expect(readTape(Buffer.from(written))).toEqual(tape);
    expect(readTape(packTape(written))).toEqual(tape);
  });

  it('that is cut off is refused, wherever it is cut', () => {
    const cuts = Array.from({ length: 40 }, (_, k) => Math.floor(((k + 1) * (text.length - 2)) / 40));
    for (const at of cuts) expect(() => read(text.slice(0, at)), `${at}`).toThrow(/cut off|no exported run/);
    const packed = packTape(text);
    expect(() => readTape(packed.subarray(0, packed.length / 2))).toThrow(/cut off/);
  });

  it.each([
    ['an empty file', '', 'the file is no exported run: pitwall export <run> writes one'],
    ['another kind of file', '{"name":"pitwall"}', 'the file is no exported run'],
    ['an image', '\u0089PNG\r\n', 'the file is no exported run'],
    [
      'a newer format',
      header({ format: 2, version: '9.0.0' }),
      'a newer build (Pitwall 9.0.0) than this one: replay it with that build, or upgrade',
    ],
    ['newer journals', header({ journalFormat: 99 }), 'written by a newer build'],
    ['a header without its parts', header({ run: '' }), 'line 1 of the file is not what it should be'],
    ['a line that is nothing', lines.toSpliced(5, 1, '{"what":1}'), 'line 6 of the file is nothing that a run is recorded with'],
    ['a line that is no JSON', lines.toSpliced(5, 1, '{"what'), 'cut off'],
    ['a missing line', lines.toSpliced(9, 1), 'belongs: export the run again'],
    ['a missing last entry', lines.toSpliced(-2, 1), 'cut off, or lines of it are missing'],
    ['two lines changed about', lines.toSpliced(9, 2, lines[10] ?? '', lines[9] ?? ''), 'belongs: export the run again'],
    ['no entries', [lines[0] ?? '', '{"end":2}'], 'holds no start of its run'],
  ])('%s is refused with what to do', (_, content, message) => {
    expect(() => read(content)).toThrow(TapeFileError);
    expect(() => read(content)).toThrow(message);
  });
});
