import { describe, expect, it } from 'vitest';
import { isSigned, signBody } from '../../src/github/signature.ts';

const NOW = 'the secret of now, long enough';
const BEFORE = 'the secret before that one';
const body = Buffer.from('{"zen":"Gezeiten — 潮"}');

describe('signatures', () => {
  it('are those of GitHub', () => {
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    expect(signBody("It's a Secret to Everybody", 'Hello, World!')).toBe(signature);
  });

  it.each([
    ['the secret', [NOW], signBody(NOW, body), true],
    ['the one before', [NOW, BEFORE], signBody(BEFORE, body), true],
    ['the one before, once it is gone', [NOW], signBody(BEFORE, body), false],
    ['another body', [NOW], signBody(NOW, 'other'), false],
    ['nothing', [NOW], '', false],
    ['no secret', [], signBody(NOW, body), false],
    ['SHA-1', [NOW], 'sha1=0123', false],
    ['something longer', [NOW], `${signBody(NOW, body)}0`, false],
    ['many bytes per character', [NOW], '潮'.repeat(71), false],
  ])('by %s', (_, secrets, signature, good) => {
    expect(isSigned(secrets, body, signature)).toBe(good);
  });
});
