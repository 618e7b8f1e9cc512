import { randomUUID } from 'node:crypto';
import type { GitHubApp } from '../github/client.ts';
import type { Services } from '../session/services.ts';
import { MissedComments } from './missed-comments.ts';
import { MissedDeliveries } from './missed-deliveries.ts';
import { Rounds, type RoundsParts } from './rounds.ts';
import { sweep } from './sweeper.ts';
import { takeTurn } from './turns.ts';

/** What recovery works with. */
export interface RecoveryParts {
  services: Pick<Services, 'store' | 'github' | 'log'>;
  app: Pick<GitHubApp, 'requests' | 'api' | 'identity'>;
  /** Throws where Redis has lost what we worked with: what was handled already is not known then, and would be brought in again. */
  refuseLoss(): Promise<void>;
}

const MINUTE_MS = 60_000;
/** Doubles are to be gone within a minute. */
const SWEEP_EVERY_MS = 10_000;
const GITHUB_EVERY_MS = 5 * MINUTE_MS;
/** Right after a start what failed by the end of the process before may not stand in GitHub's list yet: GitHub waits 10 s for an answer. */
const AGAIN_MS = [15_000, 45_000];

/** Recovery at work. */
export interface Recovery {
  /** Webhooks were refused for a while and are taken again: what was missed meanwhile is brought in now. */
  catchUp(): void;
  stop(): Promise<void>;
}

/**
 * Brings in what was missed: at the start, soon after, and every five minutes, by one process at a time; and wakes what should have moved, every ten seconds. Nothing that goes wrong here stops the server.
 */
export function startRecovery({ services, app, refuseLoss }: RecoveryParts): Recovery {
  const { store, log } = services;
  const holder = randomUUID();
  const deliveries = new MissedDeliveries({ requests: () => app.requests(), store, log, pauseMs: GITHUB_EVERY_MS });
  const comments = new MissedComments({ services, app });
  const fetched = { store, log, everyMs: GITHUB_EVERY_MS, early: AGAIN_MS };
  const alone = (
    duty: string,
    look: (turn: { signal: AbortSignal; keep(): Promise<boolean> }) => Promise<unknown>,
  ): RoundsParts['round'] => {
    return async (turn) => {
      await refuseLoss();
      await takeTurn({ store, duty, holder }, turn, (keep) => look({ signal: turn.signal, keep }));
    };
  };
  const missed = new Rounds({
    ...fetched,
    round: alone('missed deliveries', (turn) => deliveries.look(turn)),
    trouble: 'deliveries that failed could not be read from GitHub: it is tried again',
  });
  const rounds = [
    missed,
    new Rounds({
      ...fetched,
      round: alone('missed comments', (turn) => comments.look(turn)),
      trouble: 'comments could not be read again from GitHub: it is tried again',
    }),
    new Rounds({
      round: () => sweep(services),
      store,
      log,
      everyMs: SWEEP_EVERY_MS,
      trouble: 'what was lost could not be looked for: it is tried again',
    }),
  ];
  for (const one of rounds) one.start();
  return {
    catchUp: () => missed.startAgain(),
    async stop() {
      await Promise.all(rounds.map((one) => one.stop()));
    },
  };
}
