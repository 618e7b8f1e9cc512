import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/workflow/context.ts';
import { cronFault } from '../../src/workflow/cron.ts';
import { matchesTrigger, matchTriggers, Trigger, type TriggerEvent } from '../../src/workflow/trigger.ts';

const context = { pullRequest: { draft: true, labels: ['bug'] }, trigger: {} } as unknown as Context;
const condition = { combinator: 'and', rules: [{ field: 'context.pullRequest.draft', operator: 'equals', value: 'false' }] };
const opened: TriggerEvent = { name: 'pull_request_opened', context };
const command = (name: string, withMention = false): TriggerEvent => ({
  name: 'manual',
  context,
  command: { name, args: '', withMention },
});

describe('a trigger matches', () => {
  it.each<[string, unknown, TriggerEvent, true | RegExp]>([
    ['its event', { event: 'pull_request_opened' }, opened, true],
    ['not another', { event: 'issue_opened' }, opened, /waits for issue_opened, this is pull_request_opened/],
    ['its condition', { event: 'pull_request_opened', conditions: { combinator: 'and', rules: [] } }, opened, true],
    ['not without it', { event: 'pull_request_opened', conditions: condition }, opened, /draft equals "false", it is "true"/],
    ['its command', { event: 'manual', slashCommand: { command: 'review' } }, command('review'), true],
    ['written with a slash', { event: 'manual', slashCommand: { command: '/review' } }, command('review'), true],
    [
      'not another command',
      { event: 'manual', slashCommand: { command: 'review' } },
      command('done'),
      /waits for \/review, this is \/done/,
    ],
    ['not in other case', { event: 'manual', slashCommand: { command: 'review' } }, command('Review'), /waits for/],
    ['a required mention', { event: 'manual', slashCommand: { command: 'review', requireMention: true } }, command('review', true), true],
    [
      'not without it',
      { event: 'manual', slashCommand: { command: 'review', requireMention: true } },
      command('review'),
      /needs a mention/,
    ],
    [
      'a command with a condition',
      { event: 'manual', slashCommand: { command: 'review' }, conditions: condition },
      command('review'),
      /draft/,
    ],
    ['a mention', { event: 'mention' }, { name: 'mention', context }, true],
  ])('%s', (_, input, event, wanted) => {
    const match = matchesTrigger(Trigger.parse(input), event);
    if (wanted === true) expect(match).toEqual({ matched: true });
    else expect(match).toMatchObject({ matched: false, reason: expect.stringMatching(wanted) });
  });

  it('is looked for among several; the reason names the nearest', () => {
    const triggers = [{ event: 'issue_opened' }, { event: 'pull_request_opened', conditions: condition }].map((input) =>
      Trigger.parse(input),
    );
    expect(matchTriggers(triggers, { name: 'issue_opened', context })).toMatchObject({ trigger: { event: 'issue_opened' } });
    expect(matchTriggers(triggers, opened)).toEqual({ reason: expect.stringContaining('context.pullRequest.draft') });
    expect(matchTriggers(triggers, { name: 'mention', context })).toEqual({
      reason: 'no trigger for mention; it waits for issue_opened, pull_request_opened',
    });
  });

  it('fills in what is left out or null', () => {
    expect(Trigger.parse({ event: 'mention', settings: null, conditions: null, schedule: null, slashCommand: null })).toEqual({
      event: 'mention',
      conditions: null,
      slashCommand: null,
      schedule: null,
      customEvent: null,
      settings: { delaySeconds: 0, allowOutsiders: false },
    });
  });
});

describe('cron expressions', () => {
  it.each([
    '0 4 * * 1',
    '*/5 * * * *',
    '0 0 1,15 * *',
    '0 9-17/2 * * mon-fri',
    '0 0 29 feb *',
    '0 0 31 1-12 *',
    '0 0 30 2 1',
    '@hourly',
    '0 0 ? * 7',
    ' 5  4 * *  sun ',
  ])('%s is good', (text) => {
    expect(cronFault(text)).toBeNull();
  });
  it.each([
    ['', 'empty'],
    ['* * * *', '4 fields'],
    ['0 0 * * * *', '6 fields'],
    ['60 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['* * 0 * *', 'day of the month'],
    ['* * * 13 *', 'month'],
    ['* * * * 8', 'day of the week'],
    ['* * * * mun', 'day of the week'],
    ['5-1 * * * *', '5-1'],
    ['*/0 * * * *', '\\*/0'],
    ['*/x * * * *', '\\*/x'],
    ['1/2/3 * * * *', '1/2/3'],
    ['1-2-3 * * * *', '1-2-3'],
    [', * * * *', 'minute'],
    ['0 0 31 4,6 *', 'none of its months'],
    ['@often', 'short forms'],
  ])('%s is refused', (text, reason) => {
    expect(cronFault(text)).toMatch(new RegExp(reason));
  });
});
