import { type Diff, EMPTY_TREE, readDiff } from '../../git/diff.ts';
import { keepDiff, readRangeDiff } from '../act/pull-event.ts';
import { ok, page } from '../answer.ts';
import { notFound, Refusal } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { commitJson } from '../shape/commit.ts';
import { briefPullJson, fileJson, tooLarge } from '../shape/pull.ts';
import { repositoryUrl } from '../shape/repository.ts';
import { isPull, type Repository } from '../state.ts';

const read = { needs: ['contents:read'] };

/** GitHub shows no more files of a commit or comparison than this. */
const SHOWN_FILES = 300;
const SHOWN_COMMITS = 250;

/** Commits and comparisons. */
export function commitRoutes(): Route[] {
  return [
    repoRoute('GET /commits', read, listCommits),
    repoRoute('GET /commits/{commit_sha}/pulls', { needs: ['pull_requests:read', 'contents:read'] }, listPulls),
    repoRoute('GET /commits/{ref}', read, answerCommit),
    repoRoute('GET /compare/{basehead}', read, compare),
  ];
}

/** The commit behind a name. Throws `status` with GitHub's sentence for it. */
export async function requireCommit(repo: Repository, ref: string, status: 404 | 422 = 422): Promise<string> {
  const sha = await repo.bare.resolve(ref);
  if (!sha) throw new Refusal(status, status === 404 ? `No commit found for the ref ${ref}` : `No commit found for SHA: ${ref}`);
  return sha;
}

/** A diff as text or as a series of mails. Throws a 406 for one that is too large. */
export async function answerDiff(call: RepoCall, what: { diff: Diff; media: 'diff' | 'patch' }): Promise<Answer> {
  const { diff, media } = what;
  const problem = tooLarge(diff, call.world.limits);
  if (problem) {
    throw new Refusal(406, `${problem} Consider using 'List pull requests files' API or locally cloning the repository instead.`, {
      errors: [{ resource: 'PullRequest', field: 'diff', code: 'too_large' }],
      documentation: 'https://docs.github.com/rest/pulls/pulls#list-pull-requests-files',
    });
  }
  const type = { 'content-type': `application/vnd.github.${media}; charset=utf-8` };
  if (media === 'diff') return ok(diff.text, type);
  return ok(await call.repo.bare.run(['format-patch', '--stdout', '-M', `${diff.from}..${diff.to}`]), type);
}

async function listCommits(call: RepoCall): Promise<Answer> {
  const { query, repo, world } = call;
  const sha = await requireCommit(repo, query.get('sha') ?? repo.defaultBranch, 404);
  const filters = ['since', 'until', 'author'].flatMap((name) => (query.get(name) ? [`--${name}=${query.get(name)}`] : []));
  const path = query.get('path');
  const ids = await repo.bare.ids(['--max-count=1000', ...filters, sha, ...(path ? ['--', path] : [])]);
  const answer = page(call, ids);
  const shown = await repo.bare.commits(Array.isArray(answer.body) ? answer.body : []);
  return { ...answer, body: shown.map((commit) => commitJson(world, repo, commit)) };
}

function listPulls(call: RepoCall): Answer {
  const { repo, world } = call;
  const sha = call.params.commit_sha ?? '';
  const rows = [...repo.items.values()]
    .filter(isPull)
    .filter(({ pull }) => pull.heads.has(sha) || (pull.mergedAt !== null && pull.mergeCommit === sha));
  return page(
    call,
    rows.map((item) => briefPullJson(world, repo, item)),
  );
}

async function answerCommit(call: RepoCall): Promise<Answer> {
  const { repo, world, media } = call;
  const sha = await requireCommit(repo, call.params.ref ?? '');
  if (media === 'sha') return ok(sha, { 'content-type': 'application/vnd.github.sha; charset=utf-8' });
  const commit = await repo.bare.commit(sha);
  const from = commit.parents[0] ?? EMPTY_TREE;
  const diff = await keepDiff(call, `${from} ${sha} 3`, () => readDiff(repo.bare, { from, to: sha }));
  if (media === 'diff' || media === 'patch') return answerDiff(call, { diff, media });
  const sum = (key: 'additions' | 'deletions') => diff.files.reduce((total, file) => total + file[key], 0);
  return ok({
    ...commitJson(world, repo, commit),
    stats: { additions: sum('additions'), deletions: sum('deletions'), total: sum('additions') + sum('deletions') },
    files: diff.files.slice(0, SHOWN_FILES).map((file) => fileJson(world, repo, { file, head: sha })),
  });
}

async function compare(call: RepoCall): Promise<Answer> {
  const { repo, world, media, params } = call;
  const [, left = '', right = ''] = /^(.+?)\.\.\.?(.+)$/.exec(params.basehead ?? '') ?? [];
  const [base, head] = [await findCompared(call, left), await findCompared(call, right)];
  const diff = await readRangeDiff(call, { base, head });
  if (media === 'diff' || media === 'patch') return answerDiff(call, { diff, media });
  const [ahead, behind] = [await repo.bare.count([`${base}..${head}`]), await repo.bare.count([`${head}..${base}`])];
  const ids = await repo.bare.ids(['--reverse', `--max-count=${SHOWN_COMMITS}`, `${base}..${head}`]);
  const commits = await repo.bare.commits(ids);
  const shown = page(
    call,
    commits.map((commit) => commitJson(world, repo, commit)),
  );
  const html = `${world.url}/${repo.fullName}/compare/${params.basehead}`;
  const body = {
    url: `${repositoryUrl(world, repo)}/compare/${params.basehead}`,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitJson(world, repo, await repo.bare.commit(base)),
    merge_base_commit: commitJson(world, repo, await repo.bare.commit(diff.from)),
    status: ahead && behind ? 'diverged' : ahead ? 'ahead' : behind ? 'behind' : 'identical',
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits: shown.body,
    files: diff.files.slice(0, SHOWN_FILES).map((file) => fileJson(world, repo, { file, head })),
  };
  return { ...shown, body };
}

/** A name in this repository, or `owner:name` in one that shares its history. */
async function findCompared({ world, repo }: RepoCall, name: string): Promise<string> {
  const colon = name.indexOf(':');
  const owner = colon < 0 ? null : name.slice(0, colon);
  const related = [...world.repositories.values()].filter((one) => one === repo || one.parent === repo || repo.parent === one);
  const source = owner === null ? repo : related.find((one) => one.owner.login === owner);
  const sha = source && (await source.bare.resolve(name.slice(colon + 1)));
  if (!source || !sha) throw notFound();
  if (source !== repo && !(await repo.bare.commitOf(sha))) await repo.bare.fetch(source.bare.dir, [sha]);
  return sha;
}
