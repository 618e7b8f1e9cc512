/** What a check found of one thing. `fix` is one sentence that says what to do; null where nothing has to be done. */
export interface Finding {
  check: string;
  status: 'ok' | 'warning' | 'broken';
  found: string;
  fix: string | null;
}

/** A question to an installation. What it throws is a broken finding of its own; `signal` aborts when its time is over. */
export interface Check {
  name: string;
  run(signal: AbortSignal): Promise<Finding[]> | Finding[];
}

/** A finding of something that is well. */
export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found, fix: null };
}

/** A finding of something that works, but not as it should. */
export function warning(check: string, found: string, fix: string): Finding {
  return { check, status: 'warning', found, fix };
}

/** A finding of something that does not work. */
export function broken(check: string, found: string, fix: string): Finding {
  return { check, status: 'broken', found, fix };
}

/** Runs all checks at once, each for at most `ms`; their findings come in the order of the checks. Never throws. */
export async function runChecks(checks: Check[], ms: number): Promise<Finding[]> {
  return (await Promise.all(checks.map((check) => runInTime(check, ms)))).flat();
}

async function runInTime({ name, run }: Check, ms: number): Promise<Finding[]> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([
        broken(
          name,
          `no answer within ${ms / 1000} s`,
          'Look whether the network, the disk or the service hangs, and run the doctor again.',
        ),
      ]);
      limit.abort();
    }, ms);
  });
  const work = async () => run(limit.signal);
  const failed = (error: unknown) => [
    broken(
      name,
      `could not be checked: ${error instanceof Error ? error.message : String(error)}`,
      'Put right what the text says, and run the doctor again.',
    ),
  ];
  try {
    return await Promise.race([work().catch(failed), late]);
  } finally {
    clearTimeout(timer);
  }
}
