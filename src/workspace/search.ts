import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ToolError } from '../journal/errors.ts';
import { type FilesOptions, openFiles } from './files.ts';
import { DEFAULT_SEARCH_PATH } from './git.ts';
import { Layers } from './layers.ts';
import { isWithin, joinPath, ROOT, show } from './path.ts';
import { runCommand } from './process.ts';

/** What is looked for, and where. */
export interface SearchQuery {
  /** A literal text, or a regular expression where `regex` is set. Lower case finds upper case too. */
  query: string;
  /** A file or folder to look in; everything by default. */
  path?: string;
  /** Which files, such as `src/**` or `*.ts`, relative to the checkout. */
  glob?: string;
  regex?: boolean;
}

/** A line where it stands; 1-based. */
export interface SearchMatch {
  path: string;
  line: number;
  text: string;
}

/** `text` is what a model is shown: `path:line: text`, and how to narrow where not all is shown. */
export interface SearchResult {
  matches: SearchMatch[];
  truncated: boolean;
  text: string;
}

/** One directory to look in; its files appear below `prefix`. */
interface Place {
  prefix: string;
  dir: string;
  /** The file or folder in `dir`; `''` for all. */
  inside: string;
}

const MAX_MATCHES = 200;
const MAX_OUTPUT = 4 * 1024 * 1024;
const MAX_FILE = 8 * 1024 * 1024;
const TIMEOUT_MS = 20_000;
const ARGS = [
  '--no-config',
  '--no-ignore',
  '--hidden',
  '--no-messages',
  '--no-heading',
  '--with-filename',
  '--line-number',
  '--null',
  '--color=never',
  '--crlf',
  '--max-columns=400',
  '--max-columns-preview',
  `--max-filesize=${MAX_FILE}`,
  '--sort=path',
  '--smart-case',
];
const BAD_QUERY =
  /regex parse error|regex could not be compiled|error parsing glob|not allowed in a regex|exceeds size limit|invalid glob/i;

/**
 * Looks for a text in a tree: ripgrep over the checkouts, and over a copy of the files that agents changed. Its engine needs linear time whatever
 * the pattern, links are not followed, binaries are skipped. Throws `ToolError` for a query that cannot work.
 */
export async function searchCode(
  options: FilesOptions,
  search: SearchQuery,
  { signal }: { signal?: AbortSignal } = {},
): Promise<SearchResult> {
  if (search.query === '') throw new ToolError('`query` is empty: give the text to look for.');
  if (/[\n\0]/.test(search.query))
    throw new ToolError('`query` holds a line break or NUL, and lines are searched one by one: look for one line of it.');
  const files = openFiles(options);
  const at = await files.locate(search.path ?? '');
  if (!(await files.stat(at))) await files.list(at);
  const layers = new Layers(options.tree, options);
  const copy = await mkdtemp(join(tmpdir(), 'pitwall-search-'));
  try {
    const places = [...(await checkoutPlaces(layers, at)), ...(await copyChanged(layers, at, copy))];
    const program = await findRipgrep();
    const found: SearchMatch[] = [];
    let truncated = false;
    for (const place of places) {
      const result = await searchPlace(program, place, search, signal);
      const inCheckout = !place.dir.startsWith(copy);
      found.push(...result.matches.filter(({ path }) => !inCheckout || options.tree.changes[path] === undefined));
      truncated ||= result.truncated;
    }
    return present(found, { truncated, search, layers, at });
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function checkoutPlaces(layers: Layers, at: string): Promise<Place[]> {
  const places: Place[] = [];
  for (const { repository } of layers.checkouts) {
    const prefix = repository.fullName;
    if (!isWithin(at, prefix) && !isWithin(prefix, at)) continue;
    const inside = isWithin(prefix, at) ? at.slice(prefix.length + 1) : '';
    const place = await layers.place(prefix);
    if (place && (await layers.baseStat(joinPath(prefix, inside)))) places.push({ prefix, dir: place.dir, inside });
  }
  return places;
}

/** Writes the changed files below `at` out, so that the same engine and the same globs apply to them. */
async function copyChanged(layers: Layers, at: string, copy: string): Promise<Place[]> {
  const places = new Map<string, Place>();
  for (const [path, blob] of Object.entries(layers.overlay.all())) {
    if (!blob || blob.size > MAX_FILE || !isWithin(at, path)) continue;
    const prefix = layers.checkoutOf(path)?.repository.fullName ?? '';
    const dir = places.get(prefix)?.dir ?? join(copy, String(places.size));
    places.set(prefix, { prefix, dir, inside: '' });
    const file = join(dir, prefix ? path.slice(prefix.length + 1) : path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, await layers.overlay.content(blob));
  }
  return [...places.values()];
}

async function searchPlace(
  program: string,
  place: Place,
  search: SearchQuery,
  signal?: AbortSignal,
): Promise<{ matches: SearchMatch[]; truncated: boolean }> {
  const glob = globFor(place.prefix, search.glob);
  const args = [
    ...ARGS,
    ...(search.regex ? [] : ['--fixed-strings']),
    ...(glob ? [`--glob=${glob}`] : []),
    `--regexp=${search.query}`,
    '--',
    `./${place.inside}`,
  ];
  const env = { PATH: DEFAULT_SEARCH_PATH, LC_ALL: 'C.UTF-8' };
  const end = await runCommand(program, args, { cwd: place.dir, env, signal, timeoutMs: TIMEOUT_MS, maxOutput: MAX_OUTPUT });
  if (end.timedOut) throw new ToolError(`The search took over ${TIMEOUT_MS / 1000} s: narrow it by path or glob.`);
  if (end.code === 2 && BAD_QUERY.test(end.stderr)) {
    throw new ToolError(
      `The query cannot be used: ${end.stderr.trim().slice(0, 500)}. Correct the pattern, or leave \`regex\` out to look for the text as it is.`,
    );
  }
  if (end.code === 2 && end.stdout.length === 0 && end.stderr.trim()) throw new Error(`ripgrep failed: ${end.stderr.trim().slice(0, 500)}`);
  return { matches: parseMatches(end.stdout.toString('utf8'), place.prefix), truncated: end.truncated };
}

/** Globs are matched inside a checkout, so one that begins with its name loses it. */
function globFor(prefix: string, glob?: string): string | undefined {
  const plain = glob?.replace(new RegExp(`^(!?)(?:${ROOT}/|\\./)`), '$1');
  return prefix && plain ? plain.replace(`${prefix}/`, '') : plain;
}

function parseMatches(output: string, prefix: string): SearchMatch[] {
  return output
    .split('\n')
    .slice(0, -1)
    .flatMap((row) => {
      const [file = '', rest = ''] = row.split('\0', 2);
      const match = /^(\d+):([\s\S]*)$/.exec(rest);
      return match
        ? [{ path: joinPath(prefix, file.replace(/^\.\//, '')), line: Number(match[1]), text: (match[2] ?? '').replace(/\r$/, '') }]
        : [];
    });
}

function present(found: SearchMatch[], about: { truncated: boolean; search: SearchQuery; layers: Layers; at: string }): SearchResult {
  const matches = found.slice(0, MAX_MATCHES);
  const truncated = about.truncated || found.length > matches.length;
  const lines = matches.map(({ path, line, text }) => `${path}:${line}: ${text}`);
  if (matches.length === 0)
    lines.push(
      `Nothing found for ${show(about.search.query)}${about.at ? ` in ${show(about.at)}` : ''}${about.search.glob ? ` (glob ${about.search.glob})` : ''}.`,
    );
  if (truncated) {
    const total = about.truncated ? `more than ${found.length}` : String(found.length);
    lines.push(`[${matches.length} of ${total} matches: narrow by \`path\`, by \`glob\` such as "src/**/*.ts", or by a longer query]`);
  }
  for (const { repository, sparse } of about.layers.checkouts) {
    if (sparse.length > 0 && isWithin(about.at, repository.fullName))
      lines.push(`[of ${repository.fullName} only these folders are checked out and searched: ${sparse.slice(0, 20).join(', ')}]`);
  }
  return { matches, truncated, text: lines.join('\n') };
}

/** The packaged ripgrep, else one on the usual paths. */
export async function findRipgrep(): Promise<string> {
  try {
    const { rgPath } = await import('@vscode/ripgrep');
    await access(rgPath);
    return rgPath;
  } catch {
    return 'rg';
  }
}
