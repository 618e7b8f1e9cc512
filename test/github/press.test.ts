import { describe, expect, it } from 'vitest';
import { toPress } from '../../src/github/press.ts';

const RUN = 'r0123456789abcde';
const ENVELOPE = {
  installation: { id: 5 },
  repository: { id: 7, full_name: 'acme/app', clone_url: 'https://github.example/acme/app.git' },
  sender: { id: 1, login: 'ana', type: 'User' },
};
const check = (action: string, more: object = {}, external: unknown = RUN) => ({
  ...ENVELOPE,
  action,
  check_run: { id: 3, external_id: external },
  ...more,
});
const pressed = (identifier: unknown) => ({ requested_action: { identifier } });

describe('a press', () => {
  it.each<[string, string, object, object]>([
    ['Cancel', 'check_run', check('requested_action', pressed('cancel')), { order: 'cancel', of: { run: RUN } }],
    ['Retry', 'check_run', check('requested_action', pressed('retry')), { order: 'retry', of: { run: RUN } }],
    ['Re-run', 'check_run', check('rerequested'), { order: 'retry', of: { run: RUN } }],
    ['Re-run all', 'check_suite', { ...ENVELOPE, action: 'rerequested', check_suite: { id: 9 } }, { order: 'retry', of: { suite: 9 } }],
  ])('of %s says who wants what of which run', (_, name, payload, wanted) => {
    expect(toPress({ id: 'd', name, payload })).toMatchObject({
      ...wanted,
      delivery: 'd',
      installation: 5,
      repository: { id: 7, fullName: 'acme/app' },
      actor: { login: 'ana', bot: false },
    });
  });

  it.each<[string, string, unknown]>([
    ['another event', 'issues', check('rerequested')],
    ['another action', 'check_run', check('completed')],
    ['a suite that a push asked for', 'check_suite', { ...ENVELOPE, action: 'requested', check_suite: { id: 9 } }],
    ['a button that is not ours', 'check_run', check('requested_action', pressed('deploy'))],
    ['a button without a name', 'check_run', check('requested_action', pressed(7))],
    ['no button', 'check_run', check('requested_action')],
    ['the check of proposed configuration', 'check_run', check('rerequested', {}, 'p0123456789abcde')],
    ['a check of no run', 'check_run', check('rerequested', {}, null)],
    ['a check whose id is odd', 'check_run', check('rerequested', {}, 'r:../x')],
    ['no check', 'check_run', { ...ENVELOPE, action: 'rerequested' }],
    ['no installation', 'check_run', { ...check('rerequested'), installation: null }],
    ['no object', 'check_run', 'rerequested'],
  ])('is not %s', (_, name, payload) => {
    expect(toPress({ id: 'd', name, payload })).toBeNull();
  });
});
