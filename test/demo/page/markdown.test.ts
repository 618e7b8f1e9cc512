import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../../src/demo/page/markdown.ts';

const shown = (text: string, level = 4) => String(renderMarkdown(text, { level })).replace(/^<div class="markdown">|<\/div>$/g, '');

describe('what people write', () => {
  it.each([
    ['plain', '<p>plain</p>'],
    ['**a** *b* _c_ ~~d~~ `e`', '<p><strong>a</strong> <em>b</em> <em>c</em> <del>d</del> <code>e</code></p>'],
    ['snake_case_name and 2*3*4', '<p>snake_case_name and 2*3*4</p>'],
    ['``a ` b``', '<p><code>a ` b</code></p>'],
    ['[x](https://e.example/?a=1&b=2)', '<p><a href="https://e.example/?a=1&amp;b=2" rel="noreferrer nofollow">x</a></p>'],
    ['see https://e.example/a.', '<p>see <a href="https://e.example/a." rel="noreferrer nofollow">https://e.example/a.</a></p>'],
    ['hi @colleague', '<p>hi <strong>@colleague</strong></p>'],
    ['\\*no\\*', '<p>*no*</p>'],
    ['<sub>small</sub>', '<p><small>small</small></p>'],
    ['a\n\nb', '<p>a</p><p>b</p>'],
    ['- a\n- b\n  - c', '<ul><li>a</li><li><p>b</p><ul><li>c</li></ul></li></ul>'],
    ['1. a\n2. b', '<ol><li>a</li><li>b</li></ol>'],
    ['> a\n> b', '<blockquote><p>a\nb</p></blockquote>'],
    ['---', '<hr>'],
    ['```ts\nlet a = "<b>";\n```', '<pre><code>let a = &quot;&lt;b&gt;&quot;;</code></pre>'],
    ['```suggestion\nx\n```', '<p class="code-label">Suggested change</p><pre><code>x</code></pre>'],
    ['```\nnever closed', '<pre><code>never closed</code></pre>'],
    ['~~~\n``` inside\n~~~\nout', '<pre><code>``` inside</code></pre><p>out</p>'],
    [
      '| a | b |\n|---|---|\n| 1 | 2 \\| 3 |',
      '<table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead><tbody><tr><td>1</td><td>2 | 3</td></tr></tbody></table>',
    ],
    [
      '| a | |\n|---|---|\n| 1 | 2 |',
      '<table><thead><tr><th scope="col">a</th><td></td></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>',
    ],
    ['| | |\n|---|---|\n| 1 | 2 |', '<table><tbody><tr><td>1</td><td>2</td></tr></tbody></table>'],
    ['<details>\n<summary>More</summary>\n\n- a\n</details>', '<details><summary>More</summary><ul><li>a</li></ul></details>'],
    ['a <!-- hidden\nstill --> b', '<p>a  b</p>'],
    ['a <!-- without an end', '<p>a &lt;!-- without an end</p>'],
    ['```\n<!-- kept -->\n```', '<pre><code>&lt;!-- kept --&gt;</code></pre>'],
    ['a\r\nb\r\n', '<p>a\nb</p>'],
    ['', ''],
  ])('%j', (text, html) => {
    expect(shown(text)).toBe(html);
  });

  it('keeps the outline of the page: headings begin where they are told and never skip a level', () => {
    expect(shown('# a\n### b\n# c')).toBe('<h4>a</h4><h5>b</h5><h4>c</h4>');
    expect(shown('### a\n# b', 5)).toBe('<h5>a</h5><h5>b</h5>');
    expect(shown('###### deep', 4)).toBe('<h4>deep</h4>');
  });
});

describe('what hostile people write', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,<script>)',
    '[x](https://e.example/" onmouseover="alert(1))',
    '[<img src=x onerror=alert(1)>](https://e.example)',
    '![x](https://e.example/x.png)',
    '`<svg onload=alert(1)>`',
    '```"><script>\n</code></pre><script>alert(1)</script>\n```',
    '| <b onclick=x> |\n|---|\n| <iframe src=x> |',
    '<details>\n<summary><img src=x onerror=alert(1)></summary>\n<style>*{}</style>\n</details>',
    '# <h1 onclick=x>\n> <base href=x>\n- <form action=x>',
    '**<script>** *<script>* ~~<script>~~ <sub><script></sub> @<script>',
    'https://e.example/"><script>',
    '<!-- --><script>alert(1)</script><!-- -->',
  ])('%j becomes text', (text) => {
    const html = shown(text);
    const tags = [...html.matchAll(/<\/?([a-z0-9]+)([^>]*)>/g)];
    const known = new Set(
      'p strong em del code a small br ul ol li blockquote hr pre table thead tbody tr th td details summary h4 h5 h6 span'.split(' '),
    );
    expect(tags.map(([, name]) => name).filter((name) => !known.has(name ?? ''))).toEqual([]);
    for (const [, name, attributes] of tags)
      expect(attributes).toMatch(
        name === 'a' ? /^$|^ href="https:\/\/[^"<>]*" rel="noreferrer nofollow"$/ : /^$| (?:scope|class)="[\w -]+"$/,
      );
  });

  it.each([
    '*',
    '_',
    '`',
    '[',
    '~~',
    '<!--',
    '> ',
    '- ',
    '| ',
    '\\',
    '**a ',
    '[a](',
    '<sub>',
    'https://',
    '@a',
    '#\n',
    '```\n',
    '<details>\n',
    '\n\n- a\n  ',
  ])('does not hang on %j repeated up to the longest body', (part) => {
    const begun = performance.now();
    shown(part.repeat(Math.floor(65_536 / part.length)));
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});
