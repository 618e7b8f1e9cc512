import { expect, it } from 'vitest';
import { ignoredBy } from '../../src/workflow/ignore.ts';

it.each([
  ['*.lock', 'yarn.lock', true],
  ['*.lock', 'web/deep/yarn.lock', true],
  ['*.lock', 'yarn.lock.ts', false],
  ['dist/', 'dist/a.js', true],
  ['dist/', 'web/dist/deep/a.js', true],
  ['dist', 'distance/a.js', false],
  ['/dist', 'web/dist/a.js', false],
  ['/dist', 'dist/a.js', true],
  ['docs/*.md', 'docs/a.md', true],
  ['docs/*.md', 'docs/deep/a.md', false],
  ['docs/**/*.md', 'docs/a.md', true],
  ['docs/**/*.md', 'docs/very/deep/a.md', true],
  ['docs/**/*.md', 'web/docs/a.md', false],
  ['**/gen/**', 'gen/a.ts', true],
  ['src/**', 'src/.hidden/a', true],
  ['*.{png,j*g}', 'img/a.jpeg', true],
  ['*.{png,jpg}', 'img/a.gif', false],
  ['a?c.ts', 'abc.ts', true],
  ['a?c.ts', 'a/c.ts', false],
  ['a+(b).ts', 'a+(b).ts', true],
  ['[id].tsx', 'app/[id].tsx', true],
  ['a.ts', 'abts', false],
])('the rule %s takes %s: %s', (rule, path, taken) => {
  expect(ignoredBy(['never', rule], path)).toBe(taken ? rule : null);
});

it('a rule that is made to take long does not', () => {
  expect(ignoredBy([`${'**/a*'.repeat(50)}/x`], 'a/'.repeat(2_000))).toBeNull();
});
