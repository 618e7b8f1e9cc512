import { randomUUID } from 'node:crypto';
import type { GitHubApp } from '../github/client.ts';
import type { Services } from '../session/services.ts';
import { MissedDeliveries } from './missed-deliveries.ts';
import { Rounds } from './rounds.ts';
import { takeTurn } from './turns.ts';

/** What recovery works with. */
export interface RecoveryParts {
  services: Pick<Services, 'store' | 'log'>;
  app: Pick<GitHubApp, 'requests'>;
}

const MINUTE_MS = 60_000;
const GITHUB_EVERY_MS = 5 * MINUTE_MS;
/** Right after a start what failed by the end of the process before may not stand in GitHub's list yet: GitHub waits 10 s for an answer. */
const AGAIN_MS = [15_000, 45_000];

/**
 * Brings in what was missed: at the start, soon after, and every five minutes, by one process at a time. Nothing that goes wrong here stops the server.
 * Answers how to stop it.
 */
export function startRecovery({ services, app }: RecoveryParts): () => Promise<void> {
  const { store, log } = services;
  const holder = randomUUID();
  const deliveries = new MissedDeliveries({ requests: () => app.requests(), store, log, pauseMs: GITHUB_EVERY_MS });
  const rounds = [
    new Rounds({
      round: (turn) =>
        takeTurn({ store, duty: 'missed deliveries', holder }, turn, (keep) => deliveries.look({ signal: turn.signal, keep })),
      store,
      log,
      everyMs: GITHUB_EVERY_MS,
      early: AGAIN_MS,
      trouble: 'deliveries that failed could not be read from GitHub: it is tried again',
    }),
  ];
  for (const one of rounds) one.start();
  return async () => {
    await Promise.all(rounds.map((one) => one.stop()));
  };
}
