import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Config } from './config.ts';
import type { Alone, AloneEnd, Work } from './worker.ts';

/** What a process of its own is told: its task first, and later perhaps to leave. */
export type Told = { say: 'work'; config: Config; work: Work } | { say: 'leave' };

/** What it says: that it still lives, that its work has begun, and how it ended. */
const Said = z.discriminatedUnion('say', [
  z.object({ say: z.literal('alive') }),
  z.object({ say: z.literal('begun') }),
  z.object({ say: z.literal('done') }),
  z.object({ say: z.literal('failed'), message: z.string() }),
]);
export type Said = z.infer<typeof Said>;

/** How often it says that it lives (ms). One that does not for `MOST_SILENT` times as long hangs, and is ended. */
export const ALIVE_MS = 1_000;
const MOST_SILENT = 30;
/** One that was told to leave has so long (ms). */
const LEAVE_MS = 900;

/**
 * Makes the door to processes of their own, for work that may end its process: each does one advance, with the same services, then ends. The job's lock
 * stays with this process; when this one dies the other ends too.
 */
export function makeAlone(config: Config): Alone {
  return (work, signal) =>
    new Promise((resolve) => {
      const child = startChild();
      const watch = watchChild(child);
      let end: AloneEnd | null = null;
      let begun = false;
      child.on('message', (message) => {
        watch.heard();
        const said = Said.parse(message);
        if (said.say === 'begun') begun = true;
        if (said.say === 'done') end = { end: 'done' };
        if (said.say === 'failed') end = { end: 'failed', how: said.message, begun };
      });
      const leave = () => {
        tell(child, { say: 'leave' });
        setTimeout(() => child.kill('SIGKILL'), LEAVE_MS).unref();
      };
      const settle = (how: string) => {
        watch.stop();
        signal.removeEventListener('abort', leave);
        resolve(end ?? { end: signal.aborted ? 'failed' : 'died', how, begun });
      };
      child.once('error', (error) => settle(`it did not start (${error.message})`));
      child.once('exit', (code, by) => settle(watch.hung ? 'it hung' : by === null ? `exit code ${code}` : `signal ${by}`));
      tell(child, { say: 'work', config, work });
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    });
}

/** From the sources it runs as they do (by tsx), else from what was built. */
function startChild(): ChildProcess {
  const fromSources = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(fromSources ? './child.ts' : './child.js', import.meta.url));
  const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const execArgv = fromSources ? ['--import', loader()] : process.execArgv.filter((one) => !one.startsWith('--inspect'));
  return fork(entry, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** One that has ended hears nothing any more, which is no mistake: its end is heard by itself. */
function tell(child: ChildProcess, told: Told): void {
  if (child.connected) child.send(told, () => {});
}

/** Counts by turns of this process' own clock, so that a freeze of this process is not taken for one of the other. */
function watchChild(child: ChildProcess): { heard(): void; stop(): void; readonly hung: boolean } {
  let silent = 0;
  const timer = setInterval(() => {
    if (++silent > MOST_SILENT) child.kill('SIGKILL');
  }, ALIVE_MS);
  return {
    heard: () => void (silent = 0),
    stop: () => clearInterval(timer),
    get hung() {
      return silent > MOST_SILENT;
    },
  };
}
