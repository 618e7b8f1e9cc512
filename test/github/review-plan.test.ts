import { describe, expect, it } from 'vitest';
import { composeBody, composeComment, type Remark, splitSummary, tells } from '../../src/github/review-body.ts';
import { type Ground, placeFinding, planBatch } from '../../src/github/review-plan.ts';
import type { Diff, DiffLine } from '../../src/journal/diff.ts';
import type { Finding } from '../../src/journal/finding.ts';

/** `a.ts` shows 60 added lines; `texts` says what line 1, 2, ... hold. */
function diff(texts: string[] = Array.from({ length: 60 }, (_, n) => `row ${n + 1}`)): Diff {
  const lines = texts.map((text, n): DiffLine => ({ kind: '+', text, new: n + 1 }));
  const hunks = [{ header: `@@ -0,0 +1,${lines.length} @@`, oldStart: 0, newStart: 1, lines }];
  const file = { path: 'a.ts', status: 'added' as const, binary: false, additions: lines.length, deletions: 0, hunks, text: '' };
  return { base: 'b', head: 'h', mergeBase: 'b', files: [file] };
}

function finding(id: string, more: Partial<Finding> = {}): Finding {
  return { id, path: 'a.ts', side: 'RIGHT', line: 3, body: `Text of ${id}.`, rung: 'line', key: id, ...more };
}

function ground(more: Partial<Ground> = {}): Ground {
  return { diff: diff(), before: null, lowered: new Map(), ...more };
}

const rows = (...texts: string[]) => diff(texts);

const TABLE: [string, Finding, Ground, string][] = [
  ['on its line', finding('f'), ground(), 'line 3'],
  ['a range', finding('f', { startLine: 2 }), ground(), 'line 3'],
  ['recorded on the file, though its number is now a line', finding('f', { rung: 'file' }), ground(), 'file'],
  ['recorded in the body, though its file is now changed', finding('f', { rung: 'body' }), ground(), 'body'],
  [
    'recorded with its range cut, so that nothing is offered to be applied',
    finding('f', { rung: 'range-cut', startLine: 2 }),
    ground(),
    'range-cut 3',
  ],
  ['refused on the line', finding('f'), ground({ lowered: new Map([['f', 'file']]) }), 'file'],
  ['refused on the file too', finding('f'), ground({ lowered: new Map([['f', 'body']]) }), 'body'],
  ['moved, its line says the same', finding('f'), ground({ before: rows('x', 'y', 'row 3') }), 'line 3'],
  ['moved, its line says something else', finding('f'), ground({ before: rows('x', 'y', 'z') }), 'file'],
  ['moved, its range says something else', finding('f', { startLine: 2 }), ground({ before: rows('x', 'y', 'row 3') }), 'file'],
];

describe('placeFinding', () => {
  it.each(TABLE)('%s', (_, f, g, expected) => {
    const { rung, line } = placeFinding(f, g);
    expect([rung, line].filter((part) => part !== undefined).join(' ')).toBe(expected);
  });
});

describe('planBatch', () => {
  it('takes 30 lines, all files and all of the body, and nothing that is posted', () => {
    const many = Array.from({ length: 45 }, (_, n) => finding(`f${n}`, { line: n + 1 }));
    const posted = finding('old', { posted: { review: 1, comment: 2, rung: 'line' } });
    const batch = planBatch([posted, ...many, finding('g', { rung: 'file' }), finding('h', { path: 'elsewhere.ts' })], ground());
    expect([batch.line.length, batch.file.length, batch.body.length]).toEqual([30, 1, 1]);
    expect(batch.line[0]?.finding.id).toBe('f0');
  });
});

describe('bodies', () => {
  const remark = (f: Finding, g = ground()): Remark => ({ finding: f, placing: placeFinding(f, g) });

  it('offer a suggestion to be applied on exact lines of the new file only', () => {
    const suggestion = 'const a = `x`;\n```\n';
    expect(composeComment(remark(finding('f', { suggestion })))).toContain('````suggestion\nconst a = `x`;\n```\n````');
    expect(composeComment(remark(finding('f', { suggestion, startLine: -1 })))).toContain('Suggested:\n\n````\nconst');
    expect(composeComment(remark(finding('f', { suggestion, rung: 'file' })))).toContain('Suggested:\n\n````\nconst');
    expect(composeComment(remark(finding('f', { suggestion: '' })))).toContain('```suggestion\n```');
  });

  it('say where a remark was meant to stand', () => {
    expect(composeComment(remark(finding('f', { line: 900 })))).toContain('Meant for line 900');
    const { body } = composeBody({ key: 'k', index: 0, summary: 'S', remarks: [remark(finding('f', { path: 'x.ts' }))], threads: 0 });
    expect(body).toContain('#### `x.ts`, line 3\n\nText of f.');
  });

  it('are told apart by marker, and by words where GitHub took the marker out', () => {
    const f = finding('f', { path: 'x.ts' });
    const { body } = composeBody({ key: 'k', index: 0, summary: 'S', remarks: [remark(f)], threads: 0 });
    const stripped = body.replace(/<!--.*?-->/g, '');
    expect([tells(body, f), tells(stripped, f), tells(stripped, finding('g', { path: 'x.ts' })), tells(null, f)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('supply a sentence where there is nothing to say', () => {
    expect(composeBody({ key: 'k', index: 0, summary: '', remarks: [], threads: 0 }).body).toContain('no findings');
  });

  it('stay below what GitHub takes, and lose nothing', () => {
    const remarks = Array.from({ length: 5 }, (_, n) => remark(finding(`f${n}`, { path: 'x.ts', body: `${n}${'x'.repeat(30_000)}` })));
    const summary = splitSummary('s'.repeat(56_000))[0] ?? '';
    const first = composeBody({ key: 'k', index: 0, summary, remarks, threads: 0 });
    expect([first.told.length, first.left.length]).toEqual([0, 5]);
    const second = composeBody({ key: 'k', index: 1, summary: '', remarks, threads: 0 });
    expect([second.told.length, second.left.length]).toEqual([2, 3]);
    for (const { body } of [first, second]) expect(body.length).toBeLessThanOrEqual(65_536);
  });

  it('split a long summary at lines, with whole characters and fences', () => {
    const text = `${'A line with 😀.\n'.repeat(3_000)}\`\`\`ts\n${'code();\n'.repeat(8_000)}\`\`\`\nend`;
    const parts = splitSummary(text);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map((p) => [...p.matchAll(/^```/gm)].length % 2)).toEqual(parts.map(() => 0));
    expect(parts.every((p) => p.length < 57_000 && encodeURIComponent(p) !== '')).toBe(true);
    expect(parts.join('\n').match(/code\(\);/g)).toHaveLength(8_000);
  });
});
