import { commitTree } from '../../git/merge.ts';
import { listTree, readBlob, type TreeRow, writeBlob, writeTree } from '../../git/tree.ts';
import { signatureOf } from '../act/pull.ts';
import { settleHeads } from '../act/push.ts';
import { created, noContent, ok, page } from '../answer.ts';
import { Fields } from '../fields.ts';
import { notFound, Refusal } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import { type Json, nodeId } from '../shape/account.ts';
import { commitJson, gitCommitJson } from '../shape/commit.ts';
import { repositoryUrl } from '../shape/repository.ts';
import { requireCommit } from './commit.ts';
import { answerRaw, wrapBase64 } from './content.ts';

const read = { needs: ['contents:read'] };
const write = { needs: ['contents:write'] };

/** GitHub cuts longer trees and says so. */
const TREE_MAX = 100_000;

/** Git's own objects, refs and branches. */
export function objectRoutes(): Route[] {
  return [
    repoRoute('GET /git/trees/{tree_sha}', read, answerTree),
    repoRoute('POST /git/trees', write, createTree),
    repoRoute('GET /git/blobs/{file_sha}', read, answerBlob),
    repoRoute('POST /git/blobs', write, createBlob),
    repoRoute('GET /git/commits/{commit_sha}', read, async (call) => {
      const sha = await requireCommit(call.repo, call.params.commit_sha ?? '', 404);
      return ok(gitCommitJson(call.world, call.repo, await call.repo.bare.commit(sha)));
    }),
    repoRoute('POST /git/commits', write, createCommit),
    repoRoute('GET /git/ref/{ref}', read, async (call) => {
      const ref = fullRef(call.params.ref ?? '');
      return ok(refJson(call, ref, await requireRef(call, ref)));
    }),
    repoRoute('GET /git/matching-refs/{ref}', read, async (call) => {
      const start = fullRef(call.params.ref ?? '');
      const rows = [...(await call.repo.bare.refs())].filter(([name]) => name.startsWith(start));
      return page(
        call,
        rows.map(([name, sha]) => refJson(call, name, sha)),
      );
    }),
    repoRoute('POST /git/refs', write, createRef),
    repoRoute('PATCH /git/refs/{ref}', write, updateRef),
    repoRoute('DELETE /git/refs/{ref}', write, async (call) => {
      const ref = fullRef(call.params.ref ?? '');
      if (!(await call.repo.bare.refs()).has(ref)) throw new Refusal(422, 'Reference does not exist');
      await call.repo.bare.deleteRef(ref);
      await settleHeads(call);
      return noContent();
    }),
    repoRoute('GET /branches', read, async (call) => {
      const heads = [...(await call.repo.bare.heads())];
      return page(
        call,
        heads.map(([name, sha]) => branchJson(call, name.slice('refs/heads/'.length), sha)),
      );
    }),
    repoRoute('GET /branches/{branch}', read, answerBranch),
  ];
}

async function answerTree(call: RepoCall): Promise<Answer> {
  const { bare } = call.repo;
  const name = call.params.tree_sha ?? '';
  const sha = (await bare.treeOf((await bare.resolve(name)) ?? name)) ?? null;
  if (!sha) throw notFound();
  return ok(treeJson(call, sha, await listTree(bare, sha, call.query.has('recursive'))));
}

async function createTree(call: RepoCall): Promise<Answer> {
  const { bare } = call.repo;
  const base = call.body.text('base_tree');
  const rows = base === undefined ? [] : (await listTree(bare, base, true)).filter((row) => row.type !== 'tree');
  const entries = new Map<string, Pick<TreeRow, 'mode' | 'sha' | 'path'>>(rows.map((row) => [row.path, row]));
  for (const entry of call.body.list('tree') ?? []) {
    const fields = new Fields(entry);
    const path = fields.needText('path');
    const sha = fields.text('sha') ?? (fields.has('content') ? await writeBlob(bare, Buffer.from(fields.text('content') ?? '')) : null);
    if (sha === null) entries.delete(path);
    else entries.set(path, { path, sha, mode: fields.text('mode') ?? '100644' });
  }
  const sha = await writeTree(bare, [...entries.values()], `index-${call.world.nextId()}`);
  return created(treeJson(call, sha, await listTree(bare, sha)));
}

async function answerBlob(call: RepoCall): Promise<Answer> {
  const sha = call.params.file_sha ?? '';
  const content = await readBlob(call.repo.bare, sha);
  if (!content) throw notFound();
  if (call.media === 'raw') return answerRaw(content);
  const url = `${repositoryUrl(call.world, call.repo)}/git/blobs/${sha}`;
  return ok({ sha, node_id: nodeId('B', sha), size: content.length, url, content: wrapBase64(content), encoding: 'base64' });
}

async function createBlob(call: RepoCall): Promise<Answer> {
  const content = Buffer.from(call.body.needText('content'), call.body.text('encoding') === 'base64' ? 'base64' : 'utf8');
  const sha = await writeBlob(call.repo.bare, content);
  return created({ sha, url: `${repositoryUrl(call.world, call.repo)}/git/blobs/${sha}` });
}

async function createCommit(call: RepoCall): Promise<Answer> {
  const { repo, body, by, world } = call;
  const tree = await repo.bare.treeOf(body.needText('tree'));
  if (!tree) throw new Refusal(422, 'Tree SHA does not exist');
  const parents = body.texts('parents') ?? [];
  for (const parent of parents)
    if (!(await repo.bare.commitOf(parent))) throw new Refusal(422, 'Parent SHA does not exist or is not a commit object');
  const sha = await commitTree(repo.bare, { tree, parents, message: body.needText('message'), author: signatureOf(by) });
  return created(gitCommitJson(world, repo, await repo.bare.commit(sha)));
}

async function createRef(call: RepoCall): Promise<Answer> {
  const { repo, body } = call;
  const [ref, sha] = [body.needText('ref'), body.needText('sha')];
  if (!/^refs\/[^/]+\/.+/.test(ref)) throw new Refusal(422, "Reference name must start with 'refs/' and contain at least two slashes");
  if ((await repo.bare.refs()).has(ref)) throw new Refusal(422, 'Reference already exists');
  if (!(await repo.bare.commitOf(sha))) throw new Refusal(422, 'Object does not exist');
  await repo.bare.setRef(ref, sha);
  await settleHeads(call);
  return created(refJson(call, ref, sha));
}

async function updateRef(call: RepoCall): Promise<Answer> {
  const { repo, body } = call;
  const ref = fullRef(call.params.ref ?? '');
  const sha = body.needText('sha');
  const old = (await repo.bare.refs()).get(ref);
  if (!old) throw new Refusal(422, 'Reference does not exist');
  if (!(await repo.bare.commitOf(sha))) throw new Refusal(422, 'Object does not exist');
  if (!body.flag('force') && !(await repo.bare.isAncestor(old, sha))) throw new Refusal(422, 'Update is not a fast forward');
  await repo.bare.setRef(ref, sha);
  await settleHeads(call);
  return ok(refJson(call, ref, sha));
}

async function answerBranch(call: RepoCall): Promise<Answer> {
  const name = call.params.branch ?? '';
  const sha = (await call.repo.bare.heads()).get(`refs/heads/${name}`);
  if (!sha) throw new Refusal(404, 'Branch not found');
  const commit = commitJson(call.world, call.repo, await call.repo.bare.commit(sha));
  const self = `${repositoryUrl(call.world, call.repo)}/branches/${encodeURIComponent(name)}`;
  const html = `${call.world.url}/${call.repo.fullName}/tree/${name}`;
  return ok({ ...branchJson(call, name, sha), commit, _links: { self, html }, protection_url: `${self}/protection` });
}

async function requireRef(call: RepoCall, ref: string): Promise<string> {
  const sha = (await call.repo.bare.refs()).get(ref);
  if (!sha) throw notFound();
  return sha;
}

function fullRef(name: string): string {
  return name.startsWith('refs/') ? name : `refs/${name}`;
}

function refJson({ world, repo }: RepoCall, ref: string, sha: string): Json {
  const api = repositoryUrl(world, repo);
  return {
    ref,
    node_id: nodeId('REF', `${repo.id}_${ref}`),
    url: `${api}/git/${ref}`,
    object: { sha, type: 'commit', url: `${api}/git/commits/${sha}` },
  };
}

function branchJson({ world, repo }: RepoCall, name: string, sha: string): Json {
  return { name, commit: { sha, url: `${repositoryUrl(world, repo)}/commits/${sha}` }, protected: false };
}

function treeJson({ world, repo }: RepoCall, sha: string, rows: readonly TreeRow[]): Json {
  const api = repositoryUrl(world, repo);
  const tree = rows.slice(0, TREE_MAX).map(({ path, mode, type, sha: id, size }) => ({
    path,
    mode,
    type,
    sha: id,
    ...(size === null ? {} : { size }),
    ...(type === 'commit' ? {} : { url: `${api}/git/${type}s/${id}` }),
  }));
  return { sha, url: `${api}/git/trees/${sha}`, tree, truncated: rows.length > TREE_MAX };
}
