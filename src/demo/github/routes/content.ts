import { findEntry, listTree, readBlob, type TreeRow } from '../../git/tree.ts';
import { pushFiles } from '../act/repository.ts';
import { ok } from '../answer.ts';
import { malformed, notFound, Refusal } from '../refusal.ts';
import { type Answer, type RepoCall, type Route, repoRoute } from '../route.ts';
import type { Json } from '../shape/account.ts';
import { gitCommitJson } from '../shape/commit.ts';
import { repositoryUrl } from '../shape/repository.ts';
import { requireCommit } from './commit.ts';

const read = { needs: ['contents:read'] };
const write = { needs: ['contents:write'] };

/** Above this many bytes a file's content is only given raw. */
const INLINE_MAX = 1_000_000;

/** How many links are followed before a path counts as missing. */
const LINKS_MAX = 8;

/** Files and folders by path. */
export function contentRoutes(): Route[] {
  return [
    repoRoute('GET /readme', read, answerReadme),
    repoRoute('GET /contents', read, answerContents),
    repoRoute('GET /contents/', read, answerContents),
    repoRoute('GET /contents/{path}', read, answerContents),
    repoRoute('PUT /contents/{path}', write, (call) => changeFile(call, Buffer.from(call.body.text('content') ?? '', 'base64'))),
    repoRoute('DELETE /contents/{path}', write, (call) => changeFile(call, null)),
  ];
}

/** Bytes as GitHub encodes them: base64 in lines of 60. */
export function wrapBase64(content: Buffer): string {
  return `${content.toString('base64').replace(/.{60}/g, '$&\n')}\n`;
}

/** Bytes as they are, for the `raw` media type. */
export function answerRaw(content: Buffer): Answer {
  return ok(content, { 'content-type': 'application/vnd.github.raw; charset=utf-8' });
}

async function answerReadme(call: RepoCall): Promise<Answer> {
  const ref = call.query.get('ref') ?? call.repo.defaultBranch;
  const rows = await listTree(call.repo.bare, await requireCommit(call.repo, ref, 404));
  const found = rows.find((row) => /^readme(\.\w+)?$/i.test(row.path));
  if (!found) throw notFound();
  return answerFile(call, found, ref);
}

async function answerContents(call: RepoCall): Promise<Answer> {
  const { repo, world, params, query } = call;
  const ref = query.get('ref') ?? repo.defaultBranch;
  const commit = await requireCommit(repo, ref, 404);
  const path = (params.path ?? '').replace(/^\/+|\/+$/g, '');
  const entry = path === '' ? null : await findEntry(repo.bare, commit, path);
  if (path !== '' && !entry) throw notFound();
  if (entry && entry.type !== 'tree') return answerFile(call, await followLink(call, commit, entry), ref);
  const rows = await listTree(repo.bare, entry?.sha ?? commit);
  const named = rows.map((row) => ({ ...row, path: path === '' ? row.path : `${path}/${row.path}` }));
  const list = named.map((row) => entryJson({ world, repo }, row, ref));
  return ok(call.media === 'object' ? { type: 'dir', path, sha: entry?.sha ?? commit, entries: list } : list);
}

/** A link to a file of the repository is answered with that file; any other link as itself. */
async function followLink(call: RepoCall, commit: string, entry: TreeRow): Promise<TreeRow> {
  let current = entry;
  for (let step = 0; step < LINKS_MAX && current.mode === '120000'; step++) {
    const target = (await readBlob(call.repo.bare, current.sha))?.toString() ?? '';
    const path = resolvePath(current.path, target);
    const next = path === null ? null : await findEntry(call.repo.bare, commit, path);
    if (next?.type !== 'blob') return entry;
    current = next;
  }
  return current.mode === '120000' ? entry : current;
}

function resolvePath(from: string, target: string): string | null {
  if (target.startsWith('/')) return null;
  const parts = from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join('/');
}

async function answerFile(call: RepoCall, row: TreeRow, ref: string): Promise<Answer> {
  const json = entryJson(call, row, ref);
  if (row.type === 'commit') return ok(json);
  const content = await readBlob(call.repo.bare, row.sha);
  if (!content) throw notFound();
  if (call.media === 'raw') return answerRaw(content);
  if (row.mode === '120000') return ok({ ...json, target: content.toString() });
  return ok(
    content.length > INLINE_MAX
      ? { ...json, encoding: 'none', content: '' }
      : { ...json, encoding: 'base64', content: wrapBase64(content) },
  );
}

function entryJson(at: Pick<RepoCall, 'world' | 'repo'>, row: TreeRow, ref: string): Json {
  const { world, repo } = at;
  const type = row.type === 'tree' ? 'dir' : row.type === 'commit' ? 'submodule' : row.mode === '120000' ? 'symlink' : 'file';
  const path = row.path.split('/').map(encodeURIComponent).join('/');
  const url = `${repositoryUrl(world, repo)}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const gitUrl = `${repositoryUrl(world, repo)}/git/${row.type === 'tree' ? 'trees' : 'blobs'}/${row.sha}`;
  const html = `${world.url}/${repo.fullName}/${row.type === 'tree' ? 'tree' : 'blob'}/${ref}/${path}`;
  return {
    type,
    size: row.size ?? 0,
    name: row.path.split('/').at(-1),
    path: row.path,
    sha: row.sha,
    url,
    git_url: gitUrl,
    html_url: html,
    download_url: type === 'file' ? `${world.url}/raw/${repo.fullName}/${ref}/${path}` : null,
    _links: { self: url, git: gitUrl, html },
  };
}

async function changeFile(call: RepoCall, content: Buffer | null): Promise<Answer> {
  const { repo, world, body } = call;
  const path = call.params.path ?? '';
  const branch = body.text('branch') ?? repo.defaultBranch;
  const message = body.needText('message');
  const tip = await repo.bare.commitOf(`refs/heads/${branch}`);
  if (!tip) throw new Refusal(404, `Branch ${branch} not found`);
  const [old, sha] = [await findEntry(repo.bare, tip, path), body.text('sha')];
  if (content === null && !old) throw notFound();
  if (old && sha === undefined) throw malformed(`"sha" wasn't supplied.`);
  if (sha !== undefined && sha !== old?.sha) throw new Refusal(409, `${path} does not match ${sha}`);
  const made = await pushFiles(call, { branch, files: { [path]: content }, message });
  const commit = gitCommitJson(world, repo, await repo.bare.commit(made));
  const entry = content === null ? null : await findEntry(repo.bare, made, path);
  return { status: old ? 200 : 201, body: { content: entry && entryJson(call, entry, branch), commit } };
}
