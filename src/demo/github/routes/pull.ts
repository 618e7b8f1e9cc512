import { commitTree, mergeTrees } from '../../git/merge.ts';
import { closeItem, editItem, reopenItem } from '../act/item.ts';
import { type Branch, changeBase, type MergeOptions, mergePull, openPull, requestReviewers, signatureOf } from '../act/pull.ts';
import { readPullDiff, readPullJson } from '../act/pull-event.ts';
import { settleHeads } from '../act/push.ts';
import { created, noContent, ok, page } from '../answer.ts';
import { invalid, notFound, Refusal } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { accountJson } from '../shape/account.ts';
import { commitJson } from '../shape/commit.ts';
import { briefPullJson, fileJson } from '../shape/pull.ts';
import { isPull } from '../state.ts';
import { answerDiff } from './commit.ts';
import { requirePull, sortRows } from './item.ts';

const read = { needs: ['pull_requests:read'] };
const write = { needs: ['pull_requests:write'] };

/** GitHub lists no more commits than this of one pull request. */
const LISTED_COMMITS = 250;

/** Pull requests, their files and commits, merging, and who is asked to review. */
export function pullRoutes(): Route[] {
  return [
    repoRoute('GET /pulls', read, listPulls),
    repoRoute('POST /pulls', { ...write, content: true }, createPull),
    repoRoute('GET /pulls/{pull_number}', read, answerPull),
    repoRoute('PATCH /pulls/{pull_number}', write, updatePull),
    repoRoute('GET /pulls/{pull_number}/files', read, listFiles),
    repoRoute('GET /pulls/{pull_number}/commits', read, listCommits),
    repoRoute('GET /pulls/{pull_number}/merge', read, (call) => {
      if (requirePull(call).pull.mergedAt === null) throw notFound();
      return noContent();
    }),
    repoRoute('PUT /pulls/{pull_number}/merge', { needs: ['contents:write'], content: true }, merge),
    repoRoute('PUT /pulls/{pull_number}/update-branch', write, updateBranch),
    repoRoute('GET /pulls/{pull_number}/requested_reviewers', read, (call) =>
      ok({ users: [...requirePull(call).pull.reviewers].map((account) => accountJson(call.world, account)), teams: [] }),
    ),
    repoRoute('POST /pulls/{pull_number}/requested_reviewers', write, async (call) => {
      await requestReviewers(call, requirePull(call), call.body.texts('reviewers') ?? []);
      return created(briefPullJson(call.world, call.repo, requirePull(call)));
    }),
    repoRoute('DELETE /pulls/{pull_number}/requested_reviewers', write, (call) => {
      const item = requirePull(call);
      for (const login of call.body.texts('reviewers') ?? []) item.pull.reviewers.delete(call.world.account(login));
      return ok(briefPullJson(call.world, call.repo, item));
    }),
  ];
}

function listPulls(call: RepoCall): Answer {
  const { query, repo, world } = call;
  const [state, base, head] = [query.get('state') ?? 'open', query.get('base'), query.get('head')];
  const rows = [...repo.items.values()]
    .filter(isPull)
    .filter(
      ({ state: now, pull }) =>
        (state === 'all' || now === state) &&
        (!base || pull.baseRef === base) &&
        (!head || `${pull.headRepository.owner.login}:${pull.headRef}` === head),
    );
  return page(
    call,
    sortRows(rows, query).map((item) => briefPullJson(world, repo, item)),
  );
}

async function createPull(call: RepoCall): Promise<Answer> {
  const { body } = call;
  const title = body.text('title');
  if (!title) throw invalid('PullRequest', 'title', 'missing_field');
  const fields = {
    title,
    body: body.text('body') ?? null,
    draft: body.flag('draft') ?? false,
    head: findHead(call, body.needText('head')),
  };
  return created(await readPullJson(call, await openPull(call, { ...fields, base: body.needText('base') })));
}

/** `branch`, or `owner:branch` for the branch of a fork. */
function findHead({ world, repo }: RepoCall, text: string): Branch {
  const [owner = '', ref] = text.split(':');
  if (ref === undefined) return { repo, ref: text };
  const known = [...world.repositories.values()].find((one) => one.owner.login === owner && (one === repo || one.parent === repo));
  if (!known) throw invalid('PullRequest', 'head');
  return { repo: known, ref };
}

async function answerPull(call: RepoCall): Promise<Answer> {
  const item = requirePull(call);
  if (call.media === 'diff' || call.media === 'patch') return answerDiff(call, { diff: await readPullDiff(call, item), media: call.media });
  return ok(await readPullJson(call, item));
}

async function updatePull(call: RepoCall): Promise<Answer> {
  const { body } = call;
  const item = requirePull(call);
  const [title, text, base, state] = [body.text('title'), body.text('body'), body.text('base'), body.text('state')];
  await editItem(call, item, { ...(title === undefined ? {} : { title }), ...(text === undefined ? {} : { body: text }) });
  if (base !== undefined) await changeBase(call, item, base);
  if (state === 'closed') await closeItem(call, item);
  if (state === 'open') await reopenItem(call, item);
  return ok(await readPullJson(call, item));
}

async function listFiles(call: RepoCall): Promise<Answer> {
  const { world, repo } = call;
  const { files, to } = await readPullDiff(call, requirePull(call));
  return page(
    call,
    files.slice(0, world.limits.listedFiles).map((file) => fileJson(world, repo, { file, head: to })),
  );
}

async function listCommits(call: RepoCall): Promise<Answer> {
  const { world, repo } = call;
  const { pull } = requirePull(call);
  const ids = await repo.bare.ids(['--reverse', `${pull.baseSha}..${pull.headSha}`]);
  const commits = await repo.bare.commits(ids.slice(0, LISTED_COMMITS));
  return page(
    call,
    commits.map((commit) => commitJson(world, repo, commit)),
  );
}

async function merge(call: RepoCall): Promise<Answer> {
  const { body } = call;
  const [method, sha, title, message] = [
    body.text('merge_method') ?? 'merge',
    body.text('sha'),
    body.text('commit_title'),
    body.text('commit_message'),
  ];
  if (method !== 'merge' && method !== 'squash') throw new Refusal(405, 'Rebase merges are not allowed on this repository.');
  const options: MergeOptions = {
    method,
    ...(sha === undefined ? {} : { sha }),
    ...(title === undefined ? {} : { title }),
    ...(message === undefined ? {} : { message }),
  };
  const commit = await mergePull(call, requirePull(call), options);
  await settleHeads(call);
  return ok({ sha: commit, merged: true, message: 'Pull Request successfully merged' });
}

async function updateBranch(call: RepoCall): Promise<Answer> {
  const { repo, world, by } = call;
  const item = requirePull(call);
  const { headRepository: source, headRef, headSha, baseRef } = item.pull;
  const expected = call.body.text('expected_head_sha');
  if (expected !== undefined && expected !== headSha) throw new Refusal(422, 'expected head sha didn’t match current head ref.');
  const tip = await repo.bare.commitOf(`refs/heads/${baseRef}`);
  const tree = tip && (await mergeTrees(repo.bare, headSha, tip));
  if (!tip || !tree) throw new Refusal(422, 'merge conflict between base and head');
  const message = `Merge branch '${baseRef}' into ${headRef}`;
  const commit = await commitTree(repo.bare, { tree, parents: [headSha, tip], message, author: signatureOf(by) });
  if (source !== repo) await source.bare.fetch(repo.bare.dir, [commit]);
  await source.bare.setRef(`refs/heads/${headRef}`, commit);
  await settleHeads({ ...call, repo: source });
  return { status: 202, body: { message: 'Updating pull request branch.', url: `${world.url}/${repo.fullName}/pull/${item.number}` } };
}
