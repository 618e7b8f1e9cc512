import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { brokenIn } from './invariants.ts';
import { simulate } from './world.ts';

/** `npm run simulate [how many] [from which]`: plays seeds on all cores, and says which fail. */
const [, file = '', most = '10000', first = '1', part, parts] = process.argv;

interface Played {
  seeds: number;
  events: number;
  broken: { seed: number; found: string[] }[];
}

/** Plays every n-th seed; what comes from this process is told to the one that started it. */
async function play(): Promise<Played> {
  const played: Played = { seeds: 0, events: 0, broken: [] };
  for (let seed = Number(first) + Number(part); seed < Number(first) + Number(most); seed += Number(parts)) {
    const remains = await simulate(seed);
    const found = brokenIn(remains);
    played.seeds++;
    played.events += remains.works.turns;
    if (found.length > 0) played.broken.push({ seed, found });
  }
  return played;
}

async function playOnAllCores(): Promise<void> {
  const begin = performance.now();
  const cores = availableParallelism();
  const all = await Promise.all(Array.from({ length: cores }, (_, k) => playElsewhere(k, cores)));
  const broken = all.flatMap((played) => played.broken);
  for (const { seed, found } of broken) process.stdout.write(`SEED=${seed} npx vitest run test/simulation\n  ${found.join('\n  ')}\n`);
  const sum = (of: (played: Played) => number) => all.map(of).reduce((a, b) => a + b, 0);
  const seconds = ((performance.now() - begin) / 1_000).toFixed(1);
  process.stdout.write(`${sum((one) => one.seeds)} seeds, ${sum((one) => one.events)} events, ${broken.length} failed, ${seconds} s\n`);
  process.exitCode = broken.length > 0 ? 1 : 0;
}

function playElsewhere(nth: number, of: number): Promise<Played> {
  const child = fork(fileURLToPath(import.meta.url), [most, first, `${nth}`, `${of}`], {
    execArgv: [...process.execArgv, '--max-semi-space-size=64', '--stack-trace-limit=0'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (played) => resolve(played as Played));
    child.once('exit', (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

if (file !== '' && part === undefined) await playOnAllCores();
else process.send?.(await play(), undefined, undefined, () => process.exit());
