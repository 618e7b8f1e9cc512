import type { EffectRecord } from '../../src/journal/effect.ts';
import { QUEUES } from '../../src/store/jobs.ts';
import type { Sabotage } from './world.ts';

/** A guard that is switched off, and what a simulation has to say of it. */
interface Sabotaged {
  breaks: RegExp;
  sabotage: Sabotage;
}

/** The guards that the promises rest on, each switched off. A simulation that does not notice one, by the promise that it guards, would prove nothing of it. */
export const SABOTAGES: Record<string, Sabotaged> = {
  /** An append is taken whatever stands there already. */
  'the fence of journals': {
    breaks: /is written by one who had lost it/,
    sabotage: ({ shelf }) => {
      const { write } = shelf.streams;
      shelf.streams.write = (id, batch) => write(id, { ...batch, from: shelf.streams.length(id) + 1 });
    },
  },
  /** A box closes whatever lies in it. */
  'the look into a box before it is closed': {
    breaks: /lay unheard in the box/,
    sabotage: ({ shelf }) => {
      const { close } = shelf.mailboxes;
      shelf.mailboxes.close = (resource, session) => close(resource, { ...session, force: true });
    },
  },
  /** A comment that is handed over again goes into the box again, under another name. */
  'the memory of who took a comment': {
    breaks: /was heard \d+ times/,
    sabotage: ({ shelf }) => {
      const { post } = shelf.mailboxes;
      let nth = 0;
      shelf.claims.take = () => null;
      shelf.mailboxes.takerOf = () => null;
      shelf.mailboxes.post = (_, recipient, letter) => post(`elsewhere ${++nth}`, recipient, letter);
    },
  },
  /** Nobody finds on GitHub what was made before. */
  'the look for what was made': {
    breaks: /stands twice/,
    sabotage: ({ github }) => {
      github.lists = false;
    },
  },
  /** Anybody may carry an effect out, and what was carried out is forgotten. */
  'the records of effects': {
    breaks: /stands twice/,
    sabotage: ({ shelf }) => {
      const kept = new Map<string, EffectRecord>();
      shelf.effects.get = (id) => kept.get(id) ?? null;
      shelf.effects.swap = (id, _, next) => {
        if (next.state === 'ended') kept.delete(id);
        else kept.set(id, next);
        return true;
      };
    },
  },
  /** A wake that comes while its job is worked on is forgotten. */
  'the wake after one that is under way': {
    breaks: /the end of .* was told late/,
    sabotage: ({ shelf }) => {
      for (const queue of QUEUES.map((name) => shelf.jobs.queues[name])) {
        const busy = new Set<string | undefined>();
        const [add, take, end] = [queue.add.bind(queue), queue.take.bind(queue), queue.end.bind(queue)];
        queue.add = (job) => (job.wake !== undefined && busy.has(job.wake) ? undefined : add(job));
        queue.take = (token, lockMs) => {
          const job = take(token, lockMs);
          if (job) busy.add(job.wake);
          return job;
        };
        queue.end = (job, token) => {
          busy.delete(job.wake);
          end(job, token);
        };
      }
    },
  },
  /** Timers are forgotten. */
  timers: {
    breaks: /the end of .* was told late/,
    sabotage: ({ shelf }) => {
      shelf.jobs.queues.timers.add = () => {};
    },
  },
  /** Every turn is granted. */
  'the budget': {
    breaks: /used \d+ tokens of/,
    sabotage: ({ shelf }) => {
      const { reserve } = shelf.budgets;
      shelf.budgets.reserve = (...args) => ({ ...reserve(...args), granted: true, share: 0 });
    },
  },
};
