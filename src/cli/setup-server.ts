import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { renderPage, type SetupPage } from './setup-page.ts';

/** What the local page needs. `formUrl` is GitHub's page for new Apps; `manifest` is told where GitHub sends people back to. */
export interface SetupServerOptions {
  formUrl: string;
  /** 0 for a free one. */
  port: number;
  manifest(redirectUrl: string): unknown;
  /** Uses the code that came back; what it answers is shown. What it throws is shown too, and ends the setup. */
  use(code: string): Promise<SetupPage>;
}

/** A local page at work. `done` settles once a code was used: it rejects with what `use` threw. */
export interface SetupServer {
  /** The address to open; it holds a secret of its own. */
  url: string;
  port: number;
  done: Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves the page of the manifest flow on loopback. Only who has the address sees it; only requests for this very host are answered; what GitHub sends back counts
 * once and only with the state that the page gave out.
 */
export async function openSetupServer(options: SetupServerOptions): Promise<SetupServer> {
  const session = new SetupSession(options);
  const server = createServer((request, response) => void session.answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: session.open(port),
    port,
    done: session.done,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
    },
  };
}

class SetupSession {
  readonly done: Promise<void>;
  readonly #options: SetupServerOptions;
  readonly #ticket = randomBytes(24).toString('base64url');
  readonly #state = randomBytes(24).toString('base64url');
  #host = '';
  #used = false;
  #finish: (error: Error | null) => void = () => {};

  constructor(options: SetupServerOptions) {
    this.#options = options;
    this.done = new Promise((resolve, reject) => {
      this.#finish = (error) => (error ? reject(error) : resolve());
    });
    this.done.catch(() => undefined);
  }

  /** Says under which port it is served; answers the address of the page. */
  open(port: number): string {
    this.#host = `127.0.0.1:${port}`;
    return `http://${this.#host}/start/${this.#ticket}`;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${this.#host}`);
    if (request.headers.host !== this.#host) send(response, 403, { title: 'Not here', text: 'This page answers at its own address only.' });
    else if (request.method !== 'GET') send(response, 405, { title: 'Not like this', text: 'This page is only read.' });
    else if (url.pathname === '/created') await this.#take(url, response);
    else if (isSame(url.pathname, `/start/${this.#ticket}`)) this.#start(response);
    else send(response, 404, { title: 'Nothing here', text: 'Open the whole address that pitwall setup printed.' });
  }

  #start(response: ServerResponse): void {
    if (this.#used) {
      send(response, 410, { title: 'Done already', text: 'The App was made: go on in the terminal.' });
      return;
    }
    const action = `${this.#options.formUrl}?state=${this.#state}`;
    const manifest = JSON.stringify(this.#options.manifest(`http://${this.#host}/created`));
    send(response, 200, {
      title: 'Create the GitHub App for Pitwall',
      text: 'GitHub shows the App with its permissions and asks for its name. Its keys go from GitHub to this machine, and nowhere else.',
      next: { kind: 'form', action, manifest, label: 'Go to GitHub' },
    });
  }

  async #take({ searchParams }: URL, response: ServerResponse): Promise<void> {
    const code = searchParams.get('code') ?? '';
    if (!isSame(searchParams.get('state') ?? '', this.#state))
      return send(response, 403, {
        title: 'Not accepted',
        text: 'This did not begin on the page that pitwall setup printed. Open that address again.',
      });
    if (this.#used) return send(response, 410, { title: 'Used already', text: 'This code has been used: go on in the terminal.' });
    if (!/^[\w-]{1,200}$/.test(code))
      return send(response, 400, { title: 'No code', text: 'GitHub sent no code: open the printed address again.' });
    this.#used = true;
    try {
      send(response, 200, await this.#options.use(code));
      this.#finish(null);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      send(response, 502, { title: 'That did not work', text: failure.message });
      this.#finish(failure);
    }
  }
}

function send(response: ServerResponse, status: number, page: SetupPage): void {
  const { html, headers } = renderPage(page);
  response.writeHead(status, { ...headers, connection: 'close' }).end(html);
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
