import { describe, expect, it } from 'vitest';
import { GitHubError } from '../../src/github/error.ts';
import type { Draft, Entry } from '../../src/journal/entry.ts';
import { Fatal, Pending } from '../../src/journal/errors.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { viewRun } from '../../src/journal/view.ts';
import { judgeTrouble, MOST_TRIES } from '../../src/session/trouble.ts';
import { startOf } from './house.ts';

/** A run's journal in memory. */
function journalOf(): Journal & { entries: Entry[] } {
  const start = startOf({ steps: [{ id: 's', action: 'agent.run', instruction: 'x', params: { agentId: 'a' } }] });
  const entries: Entry[] = [{ type: 'run.started', start, at: 1 }];
  const append = async (...drafts: Draft[]) => void entries.push(...drafts.map((draft) => ({ ...draft, at: 1 }) as Entry));
  return { id: start.run, entries, lost: new AbortController().signal, append, find: () => undefined, once: async (_, work) => work() };
}

const judge = (journal: Journal, error: unknown) => judgeTrouble({ journal, key: 'step/s', signal: new AbortController().signal }, error);
const answered = (status: number) => ({ status, headers: {}, data: {} });
const limited = (retryAt: number) => new GitHubError('rate limit', { kind: 'limited', response: answered(403), retryAt });
const suspended = () => new GitHubError('This installation has been suspended', { kind: 'suspended', response: answered(403) });

describe('trouble', () => {
  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    'MISCONF Errors writing to the AOF file: No space left on device',
    'Command timed out',
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'LOADING Redis is loading the dataset in memory',
  ])('of Redis (%s) says nothing about the work: it is never counted', async (message) => {
    const journal = journalOf();
    for (let k = 0; k < 3 * MOST_TRIES; k++) await expect(judge(journal, new Error(message))).rejects.toThrow(message);
    expect(journal.entries).toHaveLength(1);
  });

  it('that GitHub wants no requests parks the run until the time that it told, and is never counted', async () => {
    const journal = journalOf();
    const retryAt = Date.now() + 3_000_000;
    for (let k = 0; k < 3 * MOST_TRIES; k++)
      await expect(judge(journal, limited(retryAt))).rejects.toMatchObject({ name: 'Pending', until: retryAt });
    await expect(judge(journal, limited(0))).rejects.toMatchObject({ until: expect.any(Number) });
    expect(journal.entries).toHaveLength(1);
  });

  it('of a suspended installation puts the run on hold, said once; whatever is written next ends that', async () => {
    const journal = journalOf();
    for (let k = 0; k < 3 * MOST_TRIES; k++) await expect(judge(journal, suspended())).rejects.toThrow(Pending);
    expect(journal.entries).toHaveLength(2);
    expect(viewRun(journal.entries)).toMatchObject({ state: 'OnHold', reason: 'This installation has been suspended' });
    await journal.append({ type: 'status', key: 'k', message: 'going on' });
    expect(viewRun(journal.entries)).toMatchObject({ state: 'Running', reason: '' });
    await expect(judge(journal, suspended())).rejects.toThrow(Pending);
    expect(viewRun(journal.entries)?.state).toBe('OnHold');
  });

  it('of any other kind is counted, and ends the work; what trying cannot cure ends it at once', async () => {
    const journal = journalOf();
    for (let k = 1; k < MOST_TRIES; k++) await expect(judge(journal, new Error('broken'))).rejects.toThrow('broken');
    expect(await judge(journal, new Error('broken'))).toBe(`tried ${MOST_TRIES} times: broken`);
    expect(await judge(journalOf(), new Fatal('no use'))).toBe('no use');
  });
});
