import { Worker } from 'node:worker_threads';
import { ALIVE_MS, type Said, type Told } from './alone.ts';
import { workAlone } from './main.ts';

/**
 * A process of its own for one piece of work after another. Signals that reach a whole group (Ctrl-C, a service manager's stop) are its parent's to hear, which says what is to
 * be done. When the parent dies it leaves in order; where it cannot even do that any more, a thread ends it.
 */
const WATCH = `
  const parent = process.ppid;
  let gone = 0;
  setInterval(() => {
    if (process.ppid !== parent && ++gone > 14) process.kill(process.pid, 'SIGKILL');
  }, 500);
`;

/** It has so long to leave in order (ms). */
const ORPHANED_MS = 5_000;

const leaving = new AbortController();
let working = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => {
  leave('its parent is gone');
  setTimeout(() => process.exit(), ORPHANED_MS);
});
new Worker(WATCH, { eval: true }).unref();
setInterval(() => say({ say: 'alive' }), ALIVE_MS).unref();
process.on('message', (told: Told) => {
  if (told.say === 'leave') leave('this process stops');
  else void work(told);
});

function leave(why: string): void {
  leaving.abort(why);
  if (!working) process.exit();
}

async function work({ config, work: task }: Extract<Told, { say: 'work' }>): Promise<void> {
  working = true;
  try {
    await workAlone(config, task, { signal: leaving.signal, begun: () => say({ say: 'begun' }) });
    say({ say: 'done' });
  } catch (error) {
    say({ say: 'failed', message: error instanceof Error ? error.message : String(error) });
  } finally {
    working = false;
  }
}

function say(said: Said): void {
  const last = said.say === 'failed' || (said.say === 'done' && leaving.signal.aborted);
  if (process.connected) process.send?.(said, undefined, undefined, () => last && process.exit());
  else if (last) process.exit();
}
