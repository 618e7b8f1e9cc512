import { placeOf } from './review-text.ts';
import type { Posted } from './watch.ts';

const WIDTH = 72;

/** What stands on a pull request now, one line each. */
export function postedTable({ reviews, threads, comments, checks }: Posted): string {
  const rows: [kind: string, where: string, what: string][] = [
    ...reviews.map(({ state, body }): [string, string, string] => ['review', state, firstLine(body)]),
    ...threads.map((thread): [string, string, string] => ['thread', placeOf(thread), firstLine(thread.body)]),
    ...comments.map(({ body }): [string, string, string] => ['comment', '', firstLine(body)]),
    ...checks.map(({ name, conclusion, status, output }): [string, string, string] => [
      'check',
      `${name}: ${conclusion ?? status}`,
      output.title ?? '',
    ]),
  ];
  const width = Math.max(0, ...rows.map(([, where]) => where.length));
  return ['Posted:', ...rows.map(([kind, where, what]) => `  ${kind.padEnd(7)}  ${where.padEnd(width)}  ${what}`.trimEnd())].join('\n');
}

/** The first line that says something, without its Markdown. */
function firstLine(text: string): string {
  const lines = text.replace(/<!--[\s\S]*?-->/g, '').split('\n');
  const said = lines.map((line) => line.replace(/^#+ |\*\*|_\(.*$/g, '').trim()).find((line) => line !== '') ?? '';
  return said.length > WIDTH ? `${said.slice(0, WIDTH - 1)}…` : said;
}
