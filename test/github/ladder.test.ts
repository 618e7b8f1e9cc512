import { describe, expect, it } from 'vitest';
import { place, validLines, type Wish } from '../../src/github/ladder.ts';
import type { Diff, DiffFile, DiffLine, Hunk, Side } from '../../src/journal/diff.ts';

/** A file of 40 lines where line 10 was changed and line 30 was inserted: two hunks. */
const TWO = file('src/two.ts', [hunk(7, 7, '   -+   '), hunk(27, 27, '   +   ')]);
const GONE = { ...file('src/gone.ts', [hunk(1, 0, '---')]), status: 'removed' as const };
const RENAMED = { ...file('src/new.ts', [hunk(1, 1, '   +   ')]), status: 'renamed' as const, previous: 'src/old.ts' };
const QUOTED = file('docs/quo"ted päth.md', [hunk(1, 1, ' + ')]);
const BINARY = { ...file('logo.png', []), binary: true };
const MODE = { ...file('run.sh', []), status: 'mode' as const };
const DIFF = diff([TWO, GONE, RENAMED, QUOTED, BINARY, MODE]);

const at = (path: string, line?: number | null, more: Partial<Wish> = {}): Wish => ({
  path,
  ...(line === undefined ? {} : { line }),
  ...more,
});

const TABLE: [string, Wish, string][] = [
  ['added line', at('src/two.ts', 10), 'line RIGHT 10'],
  ['deleted line', at('src/two.ts', 10, { side: 'LEFT' }), 'line LEFT 10'],
  ['context on the left', at('src/two.ts', 7, { side: 'LEFT' }), 'line LEFT 7'],
  ['context on the right', at('src/two.ts', 13, { side: 'RIGHT' }), 'line RIGHT 13'],
  ['an added line has no left side', at('src/two.ts', 33, { side: 'LEFT' }), 'file LEFT'],
  ['outside every hunk', at('src/two.ts', 20), 'file RIGHT'],
  ['line 0', at('src/two.ts', 0), 'file RIGHT'],
  ['negative', at('src/two.ts', -3), 'file RIGHT'],
  ['not a number', at('src/two.ts', Number.NaN), 'file RIGHT'],
  ['huge', at('src/two.ts', 1e300), 'file RIGHT'],
  ['infinite', at('src/two.ts', Number.POSITIVE_INFINITY), 'file RIGHT'],
  ['a fraction', at('src/two.ts', 10.5), 'file RIGHT'],
  ['no line', at('src/two.ts'), 'file RIGHT'],
  ['null', at('src/two.ts', null), 'file RIGHT'],
  ['a range in one hunk', at('src/two.ts', 12, { startLine: 9 }), 'line RIGHT 9-12'],
  ['a range of one line', at('src/two.ts', 12, { startLine: 12 }), 'line RIGHT 12'],
  ['starts before its hunk', at('src/two.ts', 10, { startLine: 3 }), 'range-cut RIGHT 7-10'],
  ['starts in another hunk', at('src/two.ts', 30, { startLine: 10 }), 'range-cut RIGHT 27-30'],
  ['ends behind its hunk', at('src/two.ts', 20, { startLine: 12 }), 'range-cut RIGHT 12-13'],
  ['around a hunk', at('src/two.ts', 22, { startLine: 2 }), 'range-cut RIGHT 7-13'],
  ['backwards', at('src/two.ts', 10, { startLine: 12 }), 'range-cut RIGHT 10'],
  ['starts at 0', at('src/two.ts', 10, { startLine: 0 }), 'range-cut RIGHT 10'],
  ['starts nowhere', at('src/two.ts', 10, { startLine: Number.NaN }), 'range-cut RIGHT 10'],
  ['a range beside all hunks', at('src/two.ts', 22, { startLine: 18 }), 'file RIGHT'],
  ['removed file, no side given', at('src/gone.ts', 2), 'line LEFT 2'],
  ['removed file on the right', at('src/gone.ts', 2, { side: 'RIGHT' }), 'file RIGHT'],
  ['old name of a rename', at('src/old.ts', 2), 'file RIGHT src/new.ts'],
  ['git quoting', at('"docs/quo\\"ted p\\303\\244th.md"', 2), 'line RIGHT 2 docs/quo"ted päth.md'],
  ['plain quotes in a name', at('docs/quo"ted päth.md', 2), 'line RIGHT 2'],
  ['./ before', at('./src/two.ts', 10), 'line RIGHT 10 src/two.ts'],
  ['b/ before', at('b/src/two.ts', 10), 'line RIGHT 10 src/two.ts'],
  ['binary', at('logo.png', 1), 'file RIGHT'],
  ['mode only', at('run.sh', 1), 'file RIGHT'],
  ['not in the diff', at('src/elsewhere.ts', 1), 'body RIGHT'],
  ['empty path', at('', 1), 'body RIGHT'],
];

describe('place', () => {
  it.each(TABLE)('%s', (_, wish, expected) => {
    const p = place(DIFF, wish);
    const lines = p.line === undefined ? '' : ` ${p.startLine === undefined ? '' : `${p.startLine}-`}${p.line}`;
    const moved = p.path === wish.path ? '' : ` ${p.path}`;
    expect(`${p.rung} ${p.side}${lines}${moved}`).toBe(expected);
    if (p.rung !== 'line' && wish.line !== undefined && wish.line !== null) expect(p.why).not.toBe('');
  });

  it('names the nearest lines of the wished side, nearest first', () => {
    expect(place(DIFF, at('src/two.ts', 15)).nearest).toEqual([13, 12, 11].map((line) => ({ side: 'RIGHT', line })));
    expect(place(DIFF, at('src/two.ts', 33, { side: 'LEFT' })).nearest[0]).toEqual({ side: 'LEFT', line: 32 });
  });

  it('says when the line is on the other side', () => {
    expect(place(DIFF, at('src/gone.ts', 2, { side: 'RIGHT' })).why).toContain('it is on LEFT');
  });

  it('agrees with an independent reading of printed patches, for any wish', () => {
    const random = generator(20_261_121);
    for (let round = 0; round < 300; round++) {
      const made = randomFile(random);
      const known = readPatch(made.text);
      expect(new Set(validLines(made).map((v) => `${v.side} ${v.line} ${v.text}`))).toEqual(
        new Set(known.map((k) => `${k.side} ${k.line} ${k.text}`)),
      );
      for (let n = 0; n < 40; n++) checkWish(made, known, random);
    }
  });
});

interface Known {
  side: Side;
  line: number;
  text: string;
  hunk: number;
}

function checkWish(made: DiffFile, known: Known[], random: (n: number) => number): void {
  const side: Side = random(2) ? 'LEFT' : 'RIGHT';
  const line = random(70) - 2;
  const startLine = random(3) ? line - random(12) : undefined;
  const find = (n: number) => known.find((k) => k.side === side && k.line === n);
  const p = place(diff([made]), { path: made.path, side, line, ...(startLine === undefined ? {} : { startLine }) });
  const what = `${side} ${startLine}-${line} -> ${JSON.stringify(p)}\n${made.text}`;
  expect(p.side, what).toBe(side);
  const [end, start] = [find(line), startLine === undefined || startLine === line ? find(line) : find(startLine)];
  if (end && start && end.hunk === start.hunk) {
    expect([p.rung, p.line, p.startLine ?? p.line], what).toEqual(['line', line, startLine ?? line]);
  } else if (p.rung === 'range-cut') {
    const [first, last] = [find(p.startLine ?? p.line ?? -1), find(p.line ?? -1)];
    expect(first && last && first.hunk === last.hunk, what).toBe(true);
    expect((p.startLine ?? p.line ?? -1) >= Math.min(startLine ?? line, line) && (p.line ?? 99) <= line, what).toBe(true);
    if (end) expect(p.line, what).toBe(line);
  } else {
    expect([p.rung, end, p.line], what).toEqual(['file', undefined, undefined]);
    const covered = known.some(
      (k) => k.side === side && k.line >= Math.max(1, startLine ?? line) && k.line <= line && (startLine ?? 0) >= 1,
    );
    expect(covered, what).toBe(false);
  }
}

/** Reads a printed patch by counting, as GitHub's documentation describes it; shares nothing with the oracle. */
function readPatch(text: string): Known[] {
  const known: Known[] = [];
  const parts = text.split(/^(?=@@ )/m).filter((part) => part.startsWith('@@ '));
  parts.forEach((part, index) => {
    const [header = '', ...rows] = part.replace(/\n$/, '').split('\n');
    let [left, right] = [/-(\d+)/, /\+(\d+)/].map((pattern) => Number(pattern.exec(header)?.[1]));
    for (const row of rows) {
      if (row[0] !== '+') known.push({ side: 'LEFT', line: left!++, text: row.slice(1), hunk: index });
      if (row[0] !== '-') known.push({ side: 'RIGHT', line: right!++, text: row.slice(1), hunk: index });
    }
  });
  return known;
}

function randomFile(random: (n: number) => number): DiffFile {
  const hunks: Hunk[] = [];
  let [old, now] = [1 + random(4), 1 + random(4)];
  for (let n = 1 + random(4); n > 0; n--) {
    const kinds = Array.from({ length: 1 + random(9) }, () => ' +-'[random(3)]).join('');
    const made = hunk(old, now, kinds);
    hunks.push(made);
    const gap = 1 + random(8);
    old += made.lines.filter((l) => l.kind !== '+').length + gap;
    now += made.lines.filter((l) => l.kind !== '-').length + gap;
  }
  return file('src/any.ts', hunks);
}

function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function hunk(oldStart: number, newStart: number, kinds: string): Hunk {
  let [old, now] = [oldStart, newStart];
  const lines = [...kinds].map((kind, n): DiffLine => {
    const text = `row ${oldStart}/${n}`;
    if (kind === '+') return { kind, text, new: now++ };
    if (kind === '-') return { kind, text, old: old++ };
    return { kind: ' ', text, old: old++, new: now++ };
  });
  const count = (without: string) => [...kinds].filter((k) => k !== without).length;
  return { header: `@@ -${oldStart},${count('+')} +${newStart},${count('-')} @@`, oldStart, newStart, lines };
}

function file(path: string, hunks: Hunk[]): DiffFile {
  const text = hunks.map((h) => [h.header, ...h.lines.map((l) => l.kind + l.text)].join('\n')).join('\n');
  const count = (kind: string) => hunks.flatMap((h) => h.lines).filter((l) => l.kind === kind).length;
  return { path, status: 'modified', binary: false, additions: count('+'), deletions: count('-'), hunks, text };
}

function diff(files: DiffFile[]): Diff {
  return { base: 'b', head: 'h', mergeBase: 'b', files };
}
