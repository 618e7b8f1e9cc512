import type { ProgramParts } from './program.ts';

/** Runs the server until Ctrl-C or SIGTERM. */
export async function serve(
  { role, poll }: { role: 'all' | 'web' | 'worker'; poll: boolean },
  parts: Pick<ProgramParts, 'start' | 'environment' | 'signal'>,
): Promise<number> {
  const running = await parts.start(parts.environment, role, poll);
  await untilAborted(parts.signal);
  await running.stop();
  return 0;
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
