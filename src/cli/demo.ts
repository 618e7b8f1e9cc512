import type { GitHub } from '../demo/github/github.ts';
import type { Role } from '../demo/github/state.ts';
import { attachPage } from '../demo/page/page.ts';
import { locatePlanted, type Planted, SAMPLE } from '../demo/sample/sample.ts';
import { postedTable } from './posted-table.ts';
import { placeOf, reviewData, writeReview } from './review-text.ts';
import { modelLine, type Stage, type TrialDeps, withStage } from './trial.ts';
import { type Posted, readPosted, watchRun } from './watch.ts';

/** The options of `pitwall demo`. */
export interface DemoOptions {
  /** Review once, print what was found, and leave. */
  once: boolean;
  /** The port of the GitHub double; a free one by default. */
  port?: number;
  format: 'text' | 'json';
}

const ENOUGH = 8;
const PATIENCE_MS = 30_000;
const LIMIT_MS = 15 * 60_000;
const REPOSITORY = SAMPLE.fullName;
const PERSON = 'maintainer';
/** Before each answer of the scripted model while people watch, in milliseconds. */
const WATCHABLE_MS = 700;

const PARTS: { login: string; name: string; role: Role }[] = [
  { login: PERSON, name: 'owner', role: 'admin' },
  { login: 'colleague', name: 'writer', role: 'write' },
  { login: 'passerby', name: 'stranger', role: 'none' },
];

/**
 * Opens a pull request with ten planted faults in a sample repository of the double and lets the server review it. With `once` it prints which faults
 * were found and answers 0 where at least 8 of the 10 were, else 1; otherwise everything stays up until the signal.
 */
export async function demo(options: DemoOptions, deps: TrialDeps): Promise<number> {
  try {
    return await withStage(deps, {
      ...(options.port ? { port: options.port } : {}),
      prepare: prepareSample,
      work: (stage) => play(stage, options, deps),
    });
  } catch (error) {
    if (!deps.signal?.aborted) throw error;
    deps.err('Stopped; nothing is left behind.\n');
    return options.once ? 1 : 0;
  }
}

async function prepareSample(github: GitHub): Promise<void> {
  await github.createRepository(REPOSITORY, SAMPLE.base, { private: false, description: SAMPLE.description });
  for (const { login, role } of PARTS) github.person(login, { [REPOSITORY]: role });
  github.install(REPOSITORY);
}

async function play(stage: Stage, options: DemoOptions, deps: TrialDeps): Promise<number> {
  const { github } = stage;
  const { branch, files, message, title, body } = SAMPLE.first;
  deps.err(`${modelLine(stage)}\n`);
  if (!options.once) openPage(stage);
  const person = github.person(PERSON, { [REPOSITORY]: 'admin' });
  const sha = await person.push(REPOSITORY, branch, files, { message });
  const { number } = await person.openPull(REPOSITORY, { head: branch, title, body });
  deps.err(`Pull request #${number} of ${REPOSITORY} is open: ${title}\n`);
  const address = `${github.url}/${REPOSITORY}/pull/${number}`;
  if (!options.once) deps.err(`Watch it in a browser: ${address}\n`);
  const at = { repository: REPOSITORY, number, sha };
  const began = Date.now();
  const ending = await watchRun(github, at, {
    tell: (line) => deps.err(`${line}\n`),
    patienceMs: PATIENCE_MS,
    limitMs: LIMIT_MS,
    ...(deps.signal ? { signal: deps.signal } : {}),
  });
  const posted = readPosted(github, at);
  const rows = compare(posted);
  const found = rows.filter((row) => row.found).length;
  const reviewed = posted.reviews.length > 0;
  if (options.format === 'json')
    deps.out(`${JSON.stringify({ number, ending, tookMs: Date.now() - began, found, planted: rows, ...reviewData(posted) }, null, 2)}\n`);
  else deps.out(options.once ? `\n${writeReview(posted)}\n${tableOf(rows, posted)}\n` : `\n${postedTable(posted)}\n${missedLines(rows)}`);
  if (!reviewed) deps.err('No review was posted: the run ended without one, see the check above.\n');
  if (options.once) return reviewed && found >= ENOUGH ? 0 : 1;
  return stayUp(stage, address, deps);
}

/** A planted fault, and whether a thread stands on its line. */
type Row = Planted & { found: boolean };

function compare({ threads }: Posted): Row[] {
  return locatePlanted(SAMPLE.first, SAMPLE.base).map((planted) => ({
    ...planted,
    found: threads.some(({ place }) => isAt(place, planted)),
  }));
}

function isAt(place: { path: string; side: string; line: number | null }, planted: Planted): boolean {
  return place.path === planted.path && place.side === planted.side && place.line === planted.line;
}

function tableOf(rows: Row[], { threads }: Posted): string {
  const places = rows.map(({ path, line, side }) => `${path}:${line}${side === 'LEFT' ? ' (deleted)' : ''}`);
  const width = Math.max(...places.map((place) => place.length));
  const lines = rows.map(({ found, what }, at) => `  ${found ? 'found ' : 'missed'}  ${(places[at] ?? '').padEnd(width)}  ${what}`);
  const others = threads.filter(({ place }) => !rows.some((row) => isAt(place, row))).map((thread) => `  other   ${placeOf(thread)}`);
  const found = rows.filter((row) => row.found).length;
  return [`Planted faults: ${found} of ${rows.length} found`, ...lines, ...others].join('\n');
}

function missedLines(rows: Row[]): string {
  const missed = rows.filter(({ found }) => !found).map(({ path, line, what }) => `  missed  ${path}:${line}  ${what}\n`);
  return `Planted faults: ${rows.length - missed.length} of ${rows.length} found\n${missed.join('')}`;
}

/** Puts the page on the double's server, and slows the scripted model down so that there is something to watch. */
function openPage({ github, model }: Stage): void {
  if (model) model.latencyMs = WATCHABLE_MS;
  const { first, next, second } = SAMPLE;
  attachPage(github, {
    repository: REPOSITORY,
    parts: PARTS,
    prepared: { branch: first.branch, next, second },
    scripted: model !== null,
  });
}

async function stayUp({ github, serverUrl, reach }: Stage, address: string, deps: TrialDeps): Promise<number> {
  deps.err(
    [
      '',
      'Open in a browser:',
      `  ${address}`,
      '',
      'To try there:',
      '  comment /review         one more review, while you look; /done or /cancel end it',
      '  comment /ask            a conversation: ask, ask again, and end it with /done',
      '  press the check         Cancel, Post now, Retry, Re-run',
      '  comment /why            what started, what did not, and why',
      '  push the next commit    five faults mended, two new ones',
      '  open the second one     a pull request is reviewed from its start',
      '  be the stranger         whose words are shown and whose commands are not obeyed',
      '',
      `  GitHub double  ${github.apiUrl}`,
      `  server         ${serverUrl}`,
      '',
      'Its runs, from another terminal (runs, show, why, export and replay, as with any server):',
      `  ${reach} pitwall runs`,
      'On a change of your own:',
      '  pitwall try --repo . --base main --head my-branch',
      'Everything runs until Ctrl-C, and is forgotten then.',
      '',
    ].join('\n'),
  );
  const { signal } = deps;
  if (signal && !signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
  return 0;
}
