import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenCheck } from '../github/open-checks.ts';
import { Pending } from '../journal/errors.ts';
import type { Services } from '../session/services.ts';
import type { RedisStore } from '../store/store.ts';

/** What recovering works with. */
export interface RecoverParts {
  store: Pick<RedisStore, 'journals' | 'renewEpoch' | 'lostAt' | 'failures'>;
  github: Pick<Services['github'], 'perform'>;
  /** The App's check runs that have not ended, wherever they are. */
  open(): AsyncIterable<OpenCheck>;
}

/** What was done: check runs that were ended, by `owner/repo#n name`; those that GitHub would not let us end, with the reason; and how many belong to runs that are known. */
export interface Recovered {
  ended: string[];
  refused: string[];
  living: number;
}

const TITLE = 'Lost';
const SUMMARY = [
  'Pitwall lost the data of this run: its Redis was flushed, or started without its files. What was posted until then stands; nothing further will come.',
  '',
  'To have it run again, repeat what started it: its slash command, or a push.',
].join('\n');

/**
 * After Redis lost its data: ends the check runs whose runs it does not know, then begins a new epoch, with which the servers go on. What Redis knows is not
 * touched, so that it may be repeated. Deliveries that failed before the loss are not brought in again: nobody knows any more which of them were. Throws what GitHub or Redis throw; then no epoch was begun.
 */
export async function recover({ store, github, open }: RecoverParts): Promise<Recovered> {
  const done: Recovered = { ended: [], refused: [], living: 0 };
  for await (const check of open()) {
    if (check.run !== '' && (await store.journals.lastOf([check.run]))[0]) {
      done.living++;
      continue;
    }
    const refusal = await endCheck(github, check);
    if (refusal === null) done.ended.push(nameOf(check));
    else done.refused.push(`${nameOf(check)}: ${refusal}`);
  }
  const lostAt = await store.lostAt();
  if (lostAt !== null) await store.failures.reach(lostAt);
  await store.renewEpoch();
  return done;
}

/** Answers why GitHub refused, or null. Waits where GitHub wants no writes for a while. */
async function endCheck(github: RecoverParts['github'], { id, event }: OpenCheck): Promise<string | null> {
  const effect = {
    type: 'check.update' as const,
    check: id,
    status: 'completed' as const,
    conclusion: 'cancelled' as const,
    output: { title: TITLE, summary: SUMMARY },
    actions: [],
  };
  for (;;) {
    try {
      const outcome = await github.perform({ run: 'recover', key: `check/${id}`, event, effect });
      return outcome.status === 'done' ? null : outcome.reason;
    } catch (error) {
      if (!(error instanceof Pending) || error.until === null) throw error;
      await sleep(Math.max(1_000, error.until - Date.now()));
    }
  }
}

function nameOf({ name, event }: OpenCheck): string {
  const { repository, resource } = event;
  return `${repository.fullName}#${'number' in resource ? resource.number : ''} ${name}`;
}
