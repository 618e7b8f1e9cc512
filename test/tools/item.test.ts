import { describe, expect, it } from 'vitest';
import { BRANCH, call, fault, ISSUE, makeContext } from './call-context.ts';

describe('update_ticket and update_pull_request', () => {
  const rows: [tool: string, input: object, effect: object][] = [
    ['update_ticket', { addLabels: ['a'], removeLabels: 'b, c' }, { addLabels: ['a'], removeLabels: ['b', 'c'] }],
    ['update_ticket', { add_labels: ['a'], labels: ['b'] }, { addLabels: ['b', 'a'] }],
    ['update_ticket', { assignees: ['@ana'], removeAssignees: ['@ben'] }, { addAssignees: ['ana'], removeAssignees: ['ben'] }],
    ['update_ticket', { state: 'CLOSED', milestone: '' }, { state: 'closed', milestone: null }],
    ['update_ticket', { number: 5, repoFullName: 'acme/shop', title: 'T' }, { title: 'T' }],
    ['update_pull_request', { description: 'D', draft: 'false', explanation: 'why' }, { body: 'D', draft: false }],
    ['update_pull_request', { addLabels: '["a", "b"]' }, { addLabels: ['a', 'b'] }],
  ];
  it.each(rows)('%s takes %j', async (tool, input, effect) => {
    const context = makeContext();
    await call(context, tool, input);
    expect(context.effects).toEqual([{ type: 'item.update', ...effect }]);
  });

  const refused: [tool: string, input: object, why: string][] = [
    ['update_ticket', {}, 'nothing to change'],
    ['update_ticket', { status: 'closed' }, 'knows no argument status'],
    ['update_ticket', { message: 'Assigning', addLabels: ['a'] }, 'knows no argument message'],
    ['update_ticket', { state: 'merged' }, 'state'],
    ['update_ticket', { labels: { add: 'x' } }, 'lists of names'],
    ['update_ticket', { number: 6, title: 'T' }, "not this run's"],
    ['update_pull_request', { repo: 'other/shop', title: 'T' }, "not this run's"],
  ];
  it.each(refused)('%s with %j does nothing and says why', async (tool, input, why) => {
    const context = makeContext();
    expect(await fault(call(context, tool, input))).toContain(why);
    expect(context.effects).toEqual([]);
  });

  it('needs a pull request or issue of the run', async () => {
    expect(await fault(call(makeContext({ resource: BRANCH }), 'update_ticket', { title: 'T' }))).toContain(
      'not about a pull request or issue',
    );
    expect(await fault(call(makeContext({ resource: ISSUE }), 'update_pull_request', { title: 'T' }))).toContain(
      'not about a pull request',
    );
  });
});
