import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Pending, Superseded } from '../src/journal/errors.ts';
import type { Intake } from '../src/run/intake.ts';
import type { Services } from '../src/session/services.ts';
import type { Handlers } from '../src/store/queues.ts';
import { makeHandlers } from '../src/worker.ts';
import { neverAlone } from './session/house.ts';

const NOW = 1_000_000;

interface Scene {
  handlers: Handlers;
  timers: unknown[];
  expected: unknown[];
  closed: string[];
  logged: Record<string, unknown>[];
}

/** Handlers over a store whose journals do nothing but fail as told. */
function stage(error: unknown, take: (delivery: unknown) => Promise<void> = () => Promise.resolve()): Scene {
  const timers: unknown[] = [];
  const expected: unknown[] = [];
  const closed: string[] = [];
  const logged: Record<string, unknown>[] = [];
  const past = { count: 0, failures: 0, since: 0, how: '' };
  const none = () => Promise.resolve();
  const starts = { begin: async () => past, look: async () => past, end: none, failed: none, forget: none };
  const store = {
    starts,
    journals: { open: () => Promise.reject(error), read: () => Promise.reject(error), close: (id: string) => closed.push(id) },
    queues: {
      setTimer(timer: unknown, at: number) {
        timers.push([timer, at]);
        return Promise.resolve();
      },
    },
    expected: { expect: async (all: unknown[], by: number) => void expected.push(...all.map((one) => [one, by])) },
    now: () => Promise.resolve(NOW),
  };
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(JSON.parse(line) as Record<string, unknown>) });
  const services = { store, log } as unknown as Services;
  return { handlers: makeHandlers(services, { take } as unknown as Intake, neverAlone), timers, expected, closed, logged };
}

const { signal } = new AbortController();

describe.each(['run', 'delegation', 'report'] as const)('an advance of a %s', (kind) => {
  it('that waits for a time sets a timer and leaves, its journal still open', async () => {
    const { handlers, timers, closed } = stage(new Pending('an answer', 5_000));
    await handlers[kind]('x', signal);
    expect(timers).toEqual([[{ wake: kind, id: 'x' }, 5_000]]);
    expect(closed).toEqual([]);
  });

  it('that waits to be woken just leaves', async () => {
    const { handlers, timers, expected } = stage(new Pending('a delegation'));
    await handlers[kind]('x', signal);
    expect(timers).toEqual([]);
    expect(expected.at(-1)).toEqual([{ wake: kind, id: 'x' }, NOW + 5 * 60_000]);
  });

  it('that lost its journal to another writer stops without an error, and looks again later, in case the other died', async () => {
    const { handlers, timers, closed } = stage(new Superseded('another'));
    await handlers[kind]('x', signal);
    expect(closed).toEqual(['x']);
    expect(timers).toEqual([[{ wake: kind, id: 'x' }, NOW + 2_000]]);
  });

  it('that fails forgets its journal and throws on, so that the queue tries it again', async () => {
    const { handlers, timers, closed } = stage(new Error('Redis is away'));
    await expect(handlers[kind]('x', signal)).rejects.toThrow('Redis is away');
    expect(closed).toEqual(['x']);
    expect(timers).toEqual([]);
  });
});

describe('a delivery', () => {
  it("is handed to the intake, whose failure is the queue's to try again", async () => {
    const taken: unknown[] = [];
    const { handlers } = stage(null, (delivery) => {
      taken.push(delivery);
      return taken.length === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
    });
    const delivery = { id: 'd', event: 'push', body: '{}' };
    await expect(handlers.delivery(delivery, signal)).rejects.toThrow('no');
    await handlers.delivery(delivery, signal);
    expect(taken).toEqual([delivery, delivery]);
  });
});

describe('a failure', () => {
  it('is logged with what failed', () => {
    const { handlers, logged } = stage(null);
    handlers.failed('run', 'r1', new Error('broken'));
    expect(logged).toMatchObject([{ level: 50, kind: 'run', id: 'r1', err: { message: 'broken' } }]);
  });
});
