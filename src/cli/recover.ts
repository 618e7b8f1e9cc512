import type { Recovered } from '../run/recover.ts';
import { printable } from './table.ts';

/** Prints what was done after Redis lost its data. Answers 1 where a check run could not be ended. */
export async function printRecovered(work: Promise<Recovered>, { out }: { out(text: string): void }): Promise<number> {
  const { ended, refused, living } = await work;
  const list = (rows: string[]) => rows.map((row) => `  ${printable(row)}\n`).join('');
  out(ended.length === 0 ? 'No check run was left open by a lost run.\n' : `Ended, because their runs are lost:\n${list(ended)}`);
  if (refused.length > 0) out(`GitHub did not let these be ended:\n${list(refused)}`);
  if (living > 0) out(`Left alone, because Redis knows their runs: ${living}\n`);
  out('A new epoch has begun: servers go on by themselves.\n');
  return refused.length > 0 ? 1 : 0;
}
