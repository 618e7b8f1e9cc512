import { describe, expect, it } from 'vitest';
import { commandsIn, commandsNamed, mentionsIn } from '../../src/workflow/command.ts';

const ALIASES = ['overcut', 'Pitwall'];

describe('commands of a comment', () => {
  it.each([
    ['alone', '/review', ['/review']],
    ['with arguments', '/review  deep scan ', ['/review deep scan']],
    ['behind a mention', '@overcut /review now', ['@/review now']],
    ['behind a mention in other case, as a bot', '@PITWALL[bot] /fix-ci', ['@/fix-ci']],
    ['on a later line', 'Please:\n\n/review', ['/review']],
    ['two of them', '/done\r\n/review', ['/done', '/review']],
    ['with little space before it', '   /review', ['/review']],
    ['with an underscore and a digit', '/ok_2', ['/ok_2']],
    ['behind the mention of another', '@bob /review', []],
    ['inside a sentence', 'please /review', []],
    ['with a dot', '/done.', []],
    ['a path', '/usr/bin', []],
    ['a slash alone', '/ review', []],
    ['quoted', '> /review', []],
    ['quoted, nested', '>> /review\n > /review', []],
    ['in a fence', '```\n/review\n```', []],
    ['in a fence with a language', '~~~sh\n/review\n~~~', []],
    ['after a fence', '```\nx\n```\n/review', ['/review']],
    ['in a fence that never closes', '```\n/review', []],
    ['in a longer fence that holds a shorter one', '````\n```\n/review\n````\n/done', ['/done']],
    ['in a fence in a list', '- ```\n/review\n  ```', []],
    ['a line of backticks that is no fence', '```code``` is short\n/review', ['/review']],
    ['as an indented block', '    /review', []],
    ['in an HTML comment', '<!-- \n/review\n--> \n/done', ['/done']],
    ['in an HTML comment that never closes', 'a <!-- b\n/review', []],
    ['behind a comment that a fence shows', '```\n<!--\n```\n/review', ['/review']],
    ['in inline code', '`/review`', []],
    ['nothing', '', []],
  ])('%s', (_, text, wanted) => {
    const found = commandsIn(text, ALIASES).map(({ name, args, withMention }) => `${withMention ? '@' : ''}/${name}${args && ` ${args}`}`);
    expect(found).toEqual(wanted);
  });

  it('tells the line', () => {
    expect(commandsIn('a\n> b\n/review', ALIASES)).toEqual([{ name: 'review', args: '', withMention: false, line: 3 }]);
  });

  it('takes a long hostile text in no time', () => {
    const before = Date.now();
    for (const piece of ['`', '<!--', '@', '/a ', '> ', '```\n', ' ']) commandsIn(piece.repeat(60_000), ALIASES);
    for (const piece of ['`', '@a', '`` `', '@overcut']) mentionsIn(piece.repeat(20_000), ALIASES);
    expect(Date.now() - before).toBeLessThan(3000);
  });
});

describe('mentions of a comment', () => {
  it.each([
    ['in a sentence', 'hey @overcut, look', ['overcut']],
    ['in other case', '@PitWall please', ['Pitwall']],
    ['both', '@pitwall and @overcut and @overcut', ['overcut', 'Pitwall']],
    ['as a bot', '@overcut[bot] hi', ['overcut']],
    ['at the end of a sentence', 'thanks @overcut.', ['overcut']],
    ['another', '@overcut-team @overcutter x@overcut.io a/@overcut', []],
    ['a team', '@acme/overcut @overcut/team', []],
    ['in code', '`@overcut` and ``x @overcut``', []],
    ['in a fence', '```\n@overcut\n```', []],
    ['quoted', '> @overcut said', []],
  ])('%s', (_, text, wanted) => {
    expect(mentionsIn(text, ALIASES)).toEqual(wanted);
  });
});

describe('commands that a text names', () => {
  it.each([
    ['Post `/pr` in a separate comment: `/pr - Implement the fix`', ['/pr']],
    ['comment "/fix-review" or /done.', ['/fix-review', '/done']],
    ['New `PATCH /users/:id/preferences` in src/controllers/a.ts, see https://example.com/pr and /etc/hosts', []],
    ['either/or, 1/2, /workspace/acme, ~/x', []],
  ])('%s', (text, expected) => expect(commandsNamed(text)).toEqual(expected));
});
