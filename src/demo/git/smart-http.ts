import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gitEnvironment } from './command.ts';

/** A request of git's smart HTTP protocol: which repository, which service, and whether it wants to push. */
export interface GitRequest {
  owner: string;
  name: string;
  service: string;
  write: boolean;
}

const ADDRESS = /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** Reads an address as one of git's, or null. */
export function readGitRequest(url: URL): GitRequest | null {
  const found = ADDRESS.exec(url.pathname);
  if (!found) return null;
  const [, owner = '', name = '', service = ''] = found;
  return { owner, name, service, write: service === 'git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack' };
}

/** What `git http-backend` needs to serve one request. */
export interface Backend {
  dir: string;
  configFile: string;
  service: string;
  user: string;
  query: string;
}

/** Passes a request to `git http-backend` as CGI. `finish` runs when git is done and before the client hears the end. */
export function serveGit(backend: Backend, request: IncomingMessage, response: ServerResponse, finish: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cgi = spawn('git', ['http-backend'], { env: cgiEnvironment(backend, request), stdio: ['pipe', 'pipe', 'ignore'] });
    let head: Buffer | null = Buffer.alloc(0);
    request.pipe(cgi.stdin);
    cgi.stdin.on('error', () => undefined);
    cgi.stdout.on('data', (chunk: Buffer) => {
      if (head === null) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      writeHead(response, head.subarray(0, end).toString());
      response.write(head.subarray(end + 4));
      head = null;
    });
    response.on('close', () => cgi.kill());
    cgi.on('error', reject);
    cgi.on('close', () => {
      if (!response.headersSent) response.writeHead(500);
      finish()
        .finally(() => response.end())
        .then(resolve, reject);
    });
  });
}

function cgiEnvironment(backend: Backend, request: IncomingMessage): Record<string, string> {
  const optional: [string, string | string[] | undefined][] = [
    ['GIT_PROTOCOL', request.headers['git-protocol']],
    ['HTTP_CONTENT_ENCODING', request.headers['content-encoding']],
    ['CONTENT_LENGTH', request.headers['content-length']],
  ];
  return {
    ...gitEnvironment(backend.configFile),
    GIT_PROJECT_ROOT: backend.dir,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${backend.service}`,
    QUERY_STRING: backend.query,
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_USER: backend.user,
    ...Object.fromEntries(optional.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))),
  };
}

function writeHead(response: ServerResponse, text: string): void {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    if (name === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  response.writeHead(status, headers);
}
