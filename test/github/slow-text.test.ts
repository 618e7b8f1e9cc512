import { expect, it } from 'vitest';
import { attachmentsIn } from '../../src/agent/attachments.ts';
import { revealHidden } from '../../src/agent/hidden.ts';
import { readToolTable } from '../../src/agent/tool-table.ts';
import { cleanText } from '../../src/github/clean.ts';
import { redactSecrets } from '../../src/github/secret.ts';

const COMMENT = 65_536;
const ANSWER = 260_000;
const fill = (piece: string, length: number) => piece.repeat(Math.ceil(length / piece.length));
const runs = (length: number) => {
  let text = '';
  for (let k = 1; text.length < length; k++) text += `${'`'.repeat(k)} `;
  return text;
};

// Each took from several seconds to minutes where the time grew with the square of the length; now it takes about a twentieth of a second.
it.each<[string, (text: string) => unknown, string]>([
  ['links that never end', (text) => attachmentsIn([text]), fill('[](http://a', COMMENT)],
  ['a marker that is never closed', revealHidden, `<!-- overcut:${' '.repeat(COMMENT)}`],
  ['backslashes', cleanText, `${fill('\\', ANSWER)}x`],
  ['comments on one line', cleanText, fill('<!--a-->', ANSWER)],
  ['closing keywords in addresses', cleanText, fill('close:https://', ANSWER)],
  ['runs of backticks without partners', cleanText, runs(ANSWER / 2) + fill('y', ANSWER / 2)],
  ['beginnings of tags', cleanText, fill('<a', ANSWER)],
  ['beginnings of images', cleanText, fill('<img ', ANSWER)],
  ['beginnings of tokens', redactSecrets, fill('eyJaaaaaaaa-', ANSWER)],
  ['tables within tables', readToolTable, fill('|-|\n', ANSWER)],
])('%s take no longer than their length', (_, read, text) => {
  const before = process.cpuUsage();
  read(text);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(4000);
});

it('comments that are too many to be taken out show', () => {
  expect(cleanText('<!--a-->'.repeat(60))).toBe('&lt;!--a-->'.repeat(10));
});
