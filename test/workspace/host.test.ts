import { describe, expect, it } from 'vitest';
import { checkCloneUrl, protocolsOf } from '../../src/workspace/host.ts';

const DOTCOM = { apiUrl: 'https://api.github.com' };
const GHES = { apiUrl: 'https://ghe.example.com/api/v3' };
const PLAIN = { apiUrl: 'http://127.0.0.1:4000' };

describe('checkCloneUrl', () => {
  it.each([
    ['https://github.com/a/b.git', DOTCOM, 'https://github.com'],
    ['https://ghe.example.com/a/b.git', GHES, 'https://ghe.example.com'],
    ['http://127.0.0.1:4000/a/b.git', PLAIN, 'http://127.0.0.1:4000'],
    ['https://git.example.com:8443/a/b', { ...DOTCOM, allowedHosts: ['git.example.com:8443'] }, 'https://git.example.com:8443'],
  ])('allows %s', (url, hosts, origin) => expect(checkCloneUrl(url, hosts)).toBe(origin));

  it.each([
    ['https://evil.example/a/b.git', DOTCOM, /host "evil.example" is refused.*allowedHosts/],
    ['https://api.github.com/a/b.git', DOTCOM, /refused/],
    ['http://github.com/a/b.git', DOTCOM, /only https/],
    ['https://github.com/a/b.git', GHES, /refused/],
    ['http://127.0.0.1:4001/a/b.git', PLAIN, /refused/],
    ['https://github.com.evil.example/a', DOTCOM, /refused/],
    ['https://github.com:444/a', DOTCOM, /refused/],
    ['https://u:p@github.com/a', DOTCOM, /login/],
    ['ext::sh -c id', DOTCOM, /only https|not a URL/],
    ['git@github.com:a/b.git', DOTCOM, /not a URL/],
    ['file:///etc', DOTCOM, /only https/],
    ['/etc', DOTCOM, /not a URL/],
    ['--upload-pack=id', DOTCOM, /not a URL/],
    ['', DOTCOM, /not a URL/],
  ])('refuses %s', (url, hosts, words) => expect(() => checkCloneUrl(url, hosts)).toThrow(words));

  it('allows http only where the API is http', () => {
    expect(protocolsOf(DOTCOM)).toEqual(['https']);
    expect(protocolsOf(PLAIN)).toEqual(['https', 'http']);
  });
});
