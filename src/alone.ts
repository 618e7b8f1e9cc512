import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Config } from './config.ts';
import type { Alone, AloneEnd, Work } from './worker.ts';

/** What a process of its own is told: a task, another after each that is done, and at last to leave. */
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
/** One that has done its work well waits so long for more (ms): where a process dies again and again, much of what ran beside the culprit comes this way. */
const IDLE_MS = 3_000;

/**
 * Makes the door to processes of their own, for work that may end its process: each does one piece of work at a time, with the same services, and ends where no
 * other comes soon. The job's lock stays with this process; when this one dies the others end too.
 */
export function makeAlone(config: Config): Alone {
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  const take = (): ChildProcess => {
    const [kept] = idle;
    if (!kept) return startChild((child) => idle.delete(child));
    const [child, timer] = kept;
    clearTimeout(timer);
    idle.delete(child);
    child.ref();
    child.channel?.ref();
    return child;
  };
  const keep = (child: ChildProcess) => {
    const dismiss = () => {
      idle.delete(child);
      sendAway(child);
    };
    idle.set(child, setTimeout(dismiss, IDLE_MS).unref());
    child.unref();
    child.channel?.unref();
  };
  return async (work, signal) => {
    const child = take();
    const end = await workIn(child, { config, work, signal });
    if (end.end === 'done' && !signal.aborted) keep(child);
    return end;
  };
}

/** Resolves when the work is done, else when its process has ended. */
function workIn(child: ChildProcess, { config, work, signal }: { config: Config; work: Work; signal: AbortSignal }): Promise<AloneEnd> {
  return new Promise((resolve) => {
    const watch = watchChild(child);
    let end: AloneEnd | null = null;
    let begun = false;
    const hear = (message: unknown) => {
      watch.heard();
      const said = Said.parse(message);
      if (said.say === 'begun') begun = true;
      if (said.say === 'failed') end = { end: 'failed', how: said.message, begun };
      if (said.say === 'done') settle({ end: 'done' });
    };
    const fail = (error: Error) => settle(unsaid(`it did not start (${error.message})`));
    const exit = (code: number | null, by: string | null) =>
      settle(end ?? unsaid(watch.hung ? 'it hung' : by === null ? `exit code ${code}` : `signal ${by}`));
    const unsaid = (how: string): AloneEnd => ({ end: signal.aborted ? 'failed' : 'died', how, begun });
    const leave = () => sendAway(child);
    const settle = (how: AloneEnd) => {
      watch.stop();
      child.off('message', hear).off('error', fail).off('exit', exit);
      signal.removeEventListener('abort', leave);
      resolve(how);
    };
    child.on('message', hear).on('error', fail).on('exit', exit);
    tell(child, { say: 'work', config, work });
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
}

function sendAway(child: ChildProcess): void {
  tell(child, { say: 'leave' });
  setTimeout(() => child.kill('SIGKILL'), LEAVE_MS).unref();
}

/** From the sources it runs as they do (by tsx), else from what was built. */
function startChild(onEnd: (child: ChildProcess) => void): ChildProcess {
  const fromSources = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(fromSources ? './child.ts' : './child.js', import.meta.url));
  const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const execArgv = fromSources ? ['--import', loader()] : process.execArgv.filter((one) => !one.startsWith('--inspect'));
  const child = fork(entry, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return child.on('error', () => {}).once('exit', () => onEnd(child));
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
