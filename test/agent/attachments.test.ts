import { expect, it } from 'vitest';
import { attachmentsIn } from '../../src/agent/attachments.ts';

const ASSET = 'https://github.com/user-attachments/assets/0a1b2c3d-0000-4000-8000-000000000000';
const LOG = 'https://github.com/user-attachments/files/123/server.log';

it.each<[string, string, { name: string; url: string }[]]>([
  ['an uploaded image', `See ![the error](${ASSET})`, [{ name: 'the error', url: ASSET }]],
  ['an uploaded file', `[server.log](${LOG})`, [{ name: 'server.log', url: LOG }]],
  ['a bare address', `look: ${LOG}`, [{ name: 'server.log', url: LOG }]],
  ['an image tag', `<img width="3" alt="a chart" src="${ASSET}">`, [{ name: 'a chart', url: ASSET }]],
  [
    'an image without a name',
    '![](https://example.com/pics/one.png?x=1)',
    [{ name: 'one.png', url: 'https://example.com/pics/one.png?x=1' }],
  ],
  ['the same twice', `![a](${ASSET}) ![b](${ASSET}) ${ASSET}`, [{ name: 'a', url: ASSET }]],
  ['a title after the address', `![a](${ASSET} "hover")`, [{ name: 'a', url: ASSET }]],
  ['an older upload', '[f](https://github.com/acme/app/files/9/f.txt)', [{ name: 'f', url: 'https://github.com/acme/app/files/9/f.txt' }]],
  ['links that are no files', '[docs](https://example.com/docs) and https://github.com/acme/app/pull/3', []],
  ['nothing', '', []],
])('attachments of %s', (_, text, expected) => {
  expect(attachmentsIn([text])).toEqual(expected);
});
