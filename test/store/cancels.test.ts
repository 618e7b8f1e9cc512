import { describe, expect, it } from 'vitest';
import { gate } from '../gate.ts';
import { eachPair } from './stores.ts';

const never = new AbortController().signal;

eachPair('cancels', (pair) => {
  /** Holds a call in the first process until it is aborted. */
  function hold(id: string, outer = never): { begun: Promise<void>; ended: Promise<string> } {
    const begun = gate();
    const ended = pair.first.cancels.hold(id, outer, async (signal) => {
      begun.open();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return String(signal.reason);
    });
    return { begun: begun.opened, ended };
  }

  describe('an order to end', () => {
    it('keeps its first reason, and reaches the process that holds a call', async () => {
      const { begun, ended } = hold('r1');
      await begun;
      expect(await pair.second.cancels.reasonOf('r1')).toBeNull();
      await pair.second.cancels.order([
        { id: 'r1', reason: 'closed' },
        { id: 'r1~1', reason: 'closed' },
      ]);
      expect(await ended).toContain('told to end');
      await pair.first.cancels.order([{ id: 'r1', reason: 'again' }]);
      expect(await pair.second.cancels.reasonOf('r1')).toBe('closed');
      expect(await pair.first.cancels.reasonOf('r1~1')).toBe('closed');
      await pair.first.cancels.order([]);
    });

    it('reaches nobody else, and a word alone leaves no order', async () => {
      const [other, told] = [hold('r2'), hold('r3')];
      await Promise.all([other.begun, told.begun]);
      await pair.second.cancels.interrupt('r3');
      await told.ended;
      expect(await Promise.race([other.ended, Promise.resolve('still under way')])).toBe('still under way');
      expect(await pair.first.cancels.reasonOf('r3')).toBeNull();
      await pair.second.cancels.interrupt('r2');
      await other.ended;
    });

    it('is not the only end: the signal from outside ends the call, too', async () => {
      const outer = new AbortController();
      const { begun, ended } = hold('r4', outer.signal);
      await begun;
      outer.abort(new Error('the job was taken away'));
      expect(await ended).toContain('taken away');
      expect(await pair.first.cancels.hold('r4', never, async () => 'the answer')).toBe('the answer');
    });
  });
});
