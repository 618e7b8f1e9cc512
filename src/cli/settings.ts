import { NOT_IN_FORCE } from '../workflow/settings.ts';
import type { Origin } from '../workflow/settings-source.ts';
import { loadSettings } from './doctor/environment.ts';
import type { Survey } from './survey.ts';
import { tableOf } from './table.ts';
import { printProblem } from './validate.ts';

/** Prints each setting with its value and where that came from. Answers 0, or 1 where something in them is wrong: every mistake is then named. */
export async function printSettings(
  { format }: { format: 'text' | 'json' },
  io: { survey: Survey; out(text: string): void; err(text: string): void },
): Promise<number> {
  const read = await loadSettings(io.survey);
  if (read instanceof Error) {
    io.err(`${read.message}: correct PITWALL_SETTINGS, or make the file\n`);
    return 1;
  }
  for (const problem of read.problems) io.err(`${printProblem(problem)}\n`);
  if (!read.settings) return 1;
  const rows = read.rows.map(({ path, value, origin }) => ({ path, value, ...origin }));
  if (format === 'json') io.out(`${JSON.stringify(rows, null, 2)}\n`);
  else
    io.out(
      tableOf(
        read.rows.map(({ path, value, origin }) => [
          path,
          JSON.stringify(value),
          `${placeOf(origin)}${NOT_IN_FORCE[path] ? ', not in force yet' : ''}`,
        ]),
      ),
    );
  return 0;
}

function placeOf(origin: Origin): string {
  if (origin.from === 'file') return `${origin.file}:${origin.line}`;
  return origin.from === 'environment' ? `environment ${origin.variable}` : 'default';
}
