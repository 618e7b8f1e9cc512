import { describe, expect, it } from 'vitest';
import { cleanText } from '../../src/github/clean.ts';
import { carries, readMarker, sign, unsign } from '../../src/github/markers.ts';

describe('markers', () => {
  it('are read back, both of them', () => {
    const text = sign('Hello', 'run1:step.2:r0');
    expect(readMarker(text)).toMatchObject({ key: 'run1:step.2:r0', short: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(carries(text, 'run1:step.2:r0')).toBe(true);
    expect(unsign(text)).toBe('Hello');
  });

  it('survive the loss of HTML comments', () => {
    const stripped = sign('Hello', 'run1:a').replace(/<!--.*-->/s, '');
    expect(carries(stripped, 'run1:a')).toBe(true);
    expect(carries(stripped, 'run1:b')).toBe(false);
  });

  it.each([
    ['another key', sign('x', 'run1:ab'), 'run1:a'],
    ['a quoted one above', `> ${sign('x', 'run1:a')}\n\n${sign('y', 'run1:b')}`, 'run1:a'],
    ['no marker', 'x', 'run1:a'],
    ['nothing', null, 'run1:a'],
    ['keys with strange letters', sign('x', 'run 1 ü'), 'run 1 ö'],
  ])('tells %s apart', (_, text, key) => {
    expect(carries(text, key)).toBe(false);
  });

  it('take any key, and no model can write one', () => {
    for (const key of ['a b', 'x-->y', '', 'ü'.repeat(300)]) expect(carries(sign('t', key), key)).toBe(true);
    expect(readMarker(cleanText('<!-- pitwall:run1:a -->')).key).toBeNull();
  });
});
