import type { GitHub } from '../demo/github/github.ts';
import { workflowFiles } from '../demo/sample/workflow.ts';
import { type GivenWorkflow, hasWorkflow, readGivenWorkflow } from './given-workflow.ts';
import { findChange, type LocalChange } from './local-change.ts';
import { reviewData, writeReview } from './review-text.ts';
import { modelLine, type TrialDeps, withStage } from './trial.ts';
import { UsageError } from './usage-error.ts';
import { type Ending, type Posted, readPosted, watchRun } from './watch.ts';

/** The options of `pitwall try`. */
export interface TryOptions {
  repo: string;
  base: string;
  head: string;
  workflow?: string;
  format: 'text' | 'json';
  /** After this the trial is given up; 30 by default. */
  limitMinutes?: number;
  /** How long nothing at all may happen on the pull request; 20 by default. */
  patienceSeconds?: number;
}

/**
 * Makes a change of a local repository a pull request of a GitHub double, lets the server review it and prints the review. The local repository is only
 * read. Answers the exit code: 0 a review was posted, 1 none was, 2 the change or the workflow is not usable.
 */
export async function tryChange(options: TryOptions, deps: TrialDeps): Promise<number> {
  try {
    const change = await findChange(options);
    const configuration = await configurationFor(options, change);
    deps.err(`${change.files} changed files, ${configuration.said}\n`);
    return await review({ options, change, given: configuration.given }, deps);
  } catch (error) {
    if (error instanceof UsageError) {
      deps.err(`pitwall try: ${error.message}\n`);
      return 2;
    }
    if (!deps.signal?.aborted) throw error;
    deps.err('Stopped; nothing is left behind.\n');
    return 1;
  }
}

async function configurationFor(
  { workflow }: TryOptions,
  { configuration }: LocalChange,
): Promise<{ given: GivenWorkflow | null; said: string }> {
  if (workflow) return { given: await readGivenWorkflow(workflow, configuration), said: `reviewed by ${workflow}` };
  if (hasWorkflow(configuration)) return { given: null, said: 'reviewed by the workflows that the repository has at its base' };
  const said = 'reviewed by our own sample workflow: the repository has none at its base (.overcut/workflow.json)';
  return { given: { files: workflowFiles(), command: null }, said };
}

const PERSON = 'you';
const BRANCH = 'pitwall-try';

async function review(
  { options, change, given }: { options: TryOptions; change: LocalChange; given: GivenWorkflow | null },
  deps: TrialDeps,
): Promise<number> {
  const repository = change.name;
  const began = Date.now();
  return withStage(deps, {
    prepare: (github) => importChange(github, { change, files: given?.files ?? null }),
    async work(stage) {
      deps.err(`${modelLine(stage)}\n`);
      const { github } = stage;
      const person = github.person(PERSON, { [repository]: 'admin' });
      const { number } = await person.openPull(repository, { head: BRANCH, title: change.title, body: change.body });
      if (given?.command) person.comment(repository, number, `/${given.command}`);
      const at = { repository, number, sha: change.head };
      const ending = await watchRun(github, at, {
        tell: (line) => deps.err(`${line}\n`),
        patienceMs: (options.patienceSeconds ?? 20) * 1000,
        limitMs: (options.limitMinutes ?? 30) * 60_000,
        ...(deps.signal ? { signal: deps.signal } : {}),
      });
      const posted = readPosted(github, at);
      print({ options, posted, number, scripted: stage.model !== null, tookMs: Date.now() - began }, deps);
      return judge(ending, posted, deps);
    },
  });
}

async function importChange(
  github: GitHub,
  { change, files }: { change: LocalChange; files: Record<string, string | null> | null },
): Promise<void> {
  await github.importRepository(change.name, change.dir, { base: change.base, branches: { [BRANCH]: change.head } });
  const person = github.person(PERSON, { [change.name]: 'admin' });
  if (files) await person.push(change.name, 'main', files, { message: 'Add a review workflow' });
  github.install(change.name);
}

function print(result: { options: TryOptions; posted: Posted; number: number; scripted: boolean; tookMs: number }, deps: TrialDeps): void {
  const { options, posted, number, scripted, tookMs } = result;
  if (options.format === 'json') deps.out(`${JSON.stringify({ number, scripted, tookMs, ...reviewData(posted) }, null, 2)}\n`);
  else if (posted.reviews.length) deps.out(`\n${writeReview(posted)}`);
}

function judge(ending: Ending, posted: Posted, deps: TrialDeps): number {
  if (posted.reviews.length > 0) return 0;
  if (ending === 'nothing')
    deps.err(
      'No workflow began: none of them starts when a pull request is opened, or none could be read (check with: pitwall validate).\n',
    );
  else if (ending === 'timeout') deps.err('The run did not end in time and no review was posted.\n');
  else deps.err(`The run ended without a review. ${posted.checks.map(({ output }) => output.summary ?? '').join('\n')}\n`);
  return 1;
}
