import { pino } from 'pino';
import { GitHubApp } from '../github/client.ts';
import { GitHubError } from '../github/error.ts';
import type { Decision } from '../store/decisions.ts';
import type { Store } from '../store/store.ts';
import { type RunsIo, withStore } from './open-store.ts';
import { timeOf } from './runs.ts';
import type { Survey } from './survey.ts';
import { tableOf } from './table.ts';

const LOOKED_THROUGH = 1_000;

/**
 * Prints what was decided about the events of a pull request or issue (`owner/repo#n`), newest first. Answers 2 where the place is not written so, and 1
 * where the repository cannot be found or nothing is known.
 */
export async function explainPlace(
  { place, format }: { place: string; format: 'text' | 'json' },
  io: RunsIo & { version: string },
): Promise<number> {
  const [, fullName, number] = /^([\w.-]+\/[\w.-]+)#([1-9]\d{0,9})$/.exec(place) ?? [];
  if (!fullName || !number) {
    io.err('pitwall: expected owner/repo#number, such as acme/app#12\n');
    return 2;
  }
  return withStore(io, async (store) => {
    const repository = (await idFromRuns(store, fullName)) ?? (await idFromGitHub(io, fullName));
    if (typeof repository === 'string') {
      io.err(`pitwall: ${repository}\n`);
      return 1;
    }
    const decisions = await decisionsOn(store, repository, number);
    if (format === 'json') io.out(`${JSON.stringify(decisions, null, 2)}\n`);
    else if (decisions.length > 0) io.out(tableOf([['TIME', 'EVENT', 'WORKFLOW', 'DECISION', 'RUN', 'WHY'], ...decisions.map(rowOf)]));
    if (decisions.length > 0) return 0;
    io.err(`pitwall: no event of ${place} is remembered here: pitwall doctor looks at the webhook\n`);
    return 1;
  });
}

/** Pull requests and issues share their numbers. */
async function decisionsOn(store: Store, repository: number, number: string): Promise<Decision[]> {
  const kinds = ['pr', 'issue'].map((kind) => store.decisions.list(repository, `${repository}:${kind}:${number}`));
  return (await Promise.all(kinds)).flat().toSorted((a, b) => b.at - a.at);
}

/** The id that a repository of this name had in the newest run there. */
async function idFromRuns(store: Store, fullName: string): Promise<number | null> {
  for (const entry of await store.journals.firstOf(await store.newestRuns(LOOKED_THROUGH))) {
    if (entry?.type !== 'run.started') continue;
    const { repository } = entry.start.event;
    if (repository.fullName.toLowerCase() === fullName.toLowerCase()) return repository.id;
  }
  return null;
}

/** A sentence where it cannot be had. */
async function idFromGitHub({ survey, version }: { survey: Survey; version: string }, fullName: string): Promise<number | string> {
  const { id, privateKey, webhookSecret, apiUrl } = survey.app;
  if (id === null || privateKey === null || apiUrl === null)
    return `no run of ${fullName} is known; set APP_ID and PRIVATE_KEY, so that GitHub can be asked for the repository`;
  const log = pino({ level: 'silent' });
  const app = new GitHubApp({ appId: id, privateKey, webhookSecret: webhookSecret ?? 'unused', apiUrl, version, log });
  try {
    return await app.repositoryId(fullName);
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    if (error.kind === 'missing') return `the App is not installed on ${fullName}, or there is no such repository: compare the name`;
    return error.message;
  } finally {
    await app.close();
  }
}

function rowOf({ at, event, workflow, verdict, run, reason }: Decision): string[] {
  return [timeOf(at), event, workflow ?? '', verdict, run ?? '', reason];
}
