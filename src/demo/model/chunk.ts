import type { Finding } from './finding.ts';
import type { PatchFile } from './patch.ts';

const MAX_ITEMS = 8;
const MOST = 10;
const FEWEST = 5;

/** A review plan as text: one line for each area of the change, at most 8, each with its files. */
export function planOf(files: PatchFile[]): string {
  const areas = new Map<string, PatchFile[]>();
  for (const file of files) {
    const area = areaOf(file.path);
    areas.set(area, [...(areas.get(area) ?? []), file]);
  }
  const items = [...areas].sort(([, a], [, b]) => b.length - a.length);
  while (items.length > MAX_ITEMS) {
    const [[lastName, last], [name, list]] = [items.pop() ?? ['', []], items.pop() ?? ['', []]];
    items.push([`${name}, ${lastName}`.slice(0, 60), [...list, ...last]]);
  }
  const lines = items.map(([area, list], at) => {
    const lines = list.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind !== ' ').length, 0);
    const paths = JSON.stringify(list.map(({ path }) => path));
    return `${at + 1}. [${area}] — ${lines} changed lines in ${list.length} files; look for wrong results, unsafe input and unhandled failures. Files: ${paths}`;
  });
  return lines.join('\n') || '1. [empty] — nothing was changed. Files: []';
}

/** The items of a plan as it stands in a text. */
export function planItems(text: string): string[] {
  return [...text.matchAll(/^\s*(\d+[.)]\s+\[[^\]\n]+\]\s+[—–-]+\s+\S.*)$/gm)]
    .flatMap(([, item]) => item ?? [])
    .filter((item) => !isExample(item));
}

/** A form that shows how an item looks, such as `[intent / feature] — [summary]`. */
function isExample(item: string): boolean {
  return /\]\s+[—–-]+\s+\[/.test(item) || /\{\w+\}/.test(item);
}

/** Findings in parts for one publisher each: by file, at most 10 in a part, small parts joined. */
export function chunksOf(findings: Finding[]): Finding[][] {
  const files = new Map<string, Finding[]>();
  for (const finding of findings) files.set(finding.file, [...(files.get(finding.file) ?? []), finding]);
  const parts = [...files.values()].flatMap((list) =>
    Array.from({ length: Math.ceil(list.length / MOST) }, (_, at) => list.slice(at * MOST, (at + 1) * MOST)),
  );
  const chunks: Finding[][] = [];
  for (const part of parts) {
    const last = chunks.at(-1);
    if (last && last.length < FEWEST) last.push(...part);
    else chunks.push([...part]);
  }
  const rest = chunks.length > 1 && (chunks.at(-1)?.length ?? 0) < FEWEST ? chunks.pop() : undefined;
  if (rest) chunks.at(-1)?.push(...rest);
  return chunks;
}

function areaOf(path: string): string {
  const folders = path.split('/').slice(0, -1);
  return folders.slice(0, 2).join('/') || 'top level';
}
