import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GitRequest, serveGit } from '../git/smart-http.ts';
import { type Caller, gitStatus, identifyCaller } from './access.ts';
import { settleHeads } from './act/push.ts';
import { type Faults, playFault } from './fault.ts';
import { type LogEntry, noteCaller, startEntry } from './log.ts';
import type { World } from './world.ts';

/** What a request of git is about. */
interface GitCall {
  world: World;
  log: LogEntry[];
  faults: Faults;
  git: GitRequest;
  url: URL;
}

/** Serves clone, fetch and push over HTTP. A push has all its consequences before the client hears of its end. */
export async function handleGit(call: GitCall, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { world, git, url } = call;
  const entry = startEntry(call.log, { method: 'GIT', path: `${url.pathname}${url.search}` });
  Object.assign(entry, { route: `GIT ${git.service}`, write: git.write });
  const repo = world.repository(`${git.owner}/${git.name}`);
  const caller = signIn(world, request);
  if (caller) noteCaller(entry, caller);
  const status = caller === null ? 401 : repo ? gitStatus(caller, repo, git.write) : caller.kind === 'anonymous' ? 401 : 404;
  entry.status = status;
  if (status !== 200 || !repo || !caller) {
    refuseGit(request, response, status);
    return;
  }
  const fault = call.faults.take({ route: entry.route, address: `GIT ${url.pathname}` });
  if (fault) {
    entry.fault = fault.kind ?? 'status';
    const answer = await playFault(fault, response);
    if (answer.kind === 'sever' || answer.kind === 'cut') response.destroy();
    if (answer.kind === 'answer') response.writeHead(answer.status, answer.headers).end();
    if (answer.kind !== 'pass') return;
  }
  const { dir, configFile } = repo.bare;
  const backend = { dir, configFile, service: git.service, user: caller.account?.login ?? '', query: url.search.slice(1) };
  await serveGit(backend, request, response, async () => {
    if (git.service === 'git-receive-pack' && caller.account) await settleHeads({ world, repo, by: caller.account });
  });
}

function signIn(world: World, request: IncomingMessage): Caller | null {
  try {
    return identifyCaller(world, request.headers.authorization);
  } catch {
    return null;
  }
}

function refuseGit(request: IncomingMessage, response: ServerResponse, status: number): void {
  const texts: Record<number, string> = { 403: 'Write access to repository not granted.\n', 404: 'Repository not found.\n' };
  request.resume();
  response.writeHead(status, status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}).end(texts[status] ?? '');
}
