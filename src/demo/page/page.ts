import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import type { GitHub } from '../github/github.ts';
import { Refusal } from '../github/refusal.ts';
import { isPull, type Repository } from '../github/state.ts';
import { ACTIONS } from './action.ts';
import { checksView } from './check-view.ts';
import { conversationView } from './conversation.ts';
import { filesView } from './diff-view.ts';
import { HEADERS, makeToken, refuseForm, refuseHost } from './guard.ts';
import { ICON } from './icon.ts';
import { choosePart, PART_COOKIE, type Part } from './person-choice.ts';
import { Prepared, type PreparedWork } from './prepared.ts';
import { PullReader } from './pull-view.ts';
import type { Screen } from './screen.ts';
import { SCRIPT } from './script.ts';
import { plainPage, pullPage, type Tab } from './shell.ts';
import { changeStream } from './stream.ts';
import { STYLE } from './style.ts';

/** What the page shows and lets people do. The first part is who somebody is at first. */
export interface PageOptions {
  repository: string;
  parts: readonly Part[];
  prepared: PreparedWork;
  /** Whether fixed rules answer instead of a language model; the page says so. */
  scripted: boolean;
}

const BODY_LIMIT = 1024 * 1024;
const VIEWS = { conversation: conversationView, files: filesView, checks: checksView };

/** Puts the page for people on the double's own server: at `/owner/name/pull/1`, `/files` and `/checks` below it. Ends with the double. */
export function attachPage(github: GitHub, options: PageOptions): void {
  const page = new Page(github, options);
  const listen = getRequestListener((request) => page.answer(request), { overrideGlobalObjects: false });
  github.pages = async (request: IncomingMessage, response: ServerResponse) => {
    await listen(request, response);
    return true;
  };
}

class Page {
  readonly #github: GitHub;
  readonly #options: PageOptions;
  readonly #reader: PullReader;
  readonly #prepared: Prepared;
  readonly #token = makeToken();
  readonly #app = new Hono();

  constructor(github: GitHub, options: PageOptions) {
    this.#github = github;
    this.#options = options;
    this.#reader = new PullReader(github);
    this.#prepared = new Prepared(github, options.repository, options.prepared);
    this.#route();
  }

  async answer(request: Request): Promise<Response> {
    const refused = refuseHost(request.headers);
    const answer = refused ? new Response(refused, { status: 421 }) : await this.#app.fetch(request);
    for (const [name, value] of Object.entries(HEADERS)) answer.headers.set(name, value);
    return answer;
  }

  #route(): void {
    const app = this.#app;
    const pull = `${this.#address(':number{[0-9]+}')}`;
    app.get('/', (context) => context.redirect(this.#address(this.#pulls()[0]?.number ?? 1)));
    app.get('/style.css', (context) => context.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
    app.get('/script.js', (context) => context.body(SCRIPT, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
    app.get('/icon.svg', (context) => context.body(ICON, 200, { 'content-type': 'image/svg+xml' }));
    app.get('/events', (context) => this.#events(Number(context.req.query('pull'))));
    app.get(pull, (context) => this.#show(context, 'conversation'));
    app.get(`${pull}/files`, (context) => this.#show(context, 'files'));
    app.get(`${pull}/checks`, (context) => this.#show(context, 'checks'));
    app.use(bodyLimit({ maxSize: BODY_LIMIT, onError: (context) => this.#refuseLength(context) }));
    app.post('/part', (context) => this.#choose(context));
    app.post(`${pull}/:action`, (context) => this.#act(context));
    app.notFound((context) => this.#say(context, { title: 'Not found', text: 'There is no such page.', status: 404 }));
    app.onError((error, context) => this.#refuse(context, error));
  }

  async #show(context: Context, tab: Tab): Promise<Response> {
    const number = Number(context.req.param('number'));
    const pull = await this.#reader.read(this.#repo(), number);
    if (!pull) return this.#say(context, { title: 'Not found', text: `There is no pull request ${number}.`, status: 404 });
    const screen: Screen = {
      pull,
      pulls: this.#pulls(),
      address: this.#address(number),
      part: this.#part(context),
      parts: this.#options.parts,
      token: this.#token,
      prepared: this.#prepared.state,
      scripted: this.#options.scripted,
      app: this.#github.bot.login,
    };
    return context.html(pullPage(screen, { tab, content: VIEWS[tab](screen) }));
  }

  #events(number: number): Response {
    const stream = changeStream(this.#github.changes, { repository: this.#repo().fullName, number });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  }

  async #choose(context: Context): Promise<Response> {
    const form = await this.#form(context);
    const { login } = choosePart(this.#options.parts, form.part);
    setCookie(context, PART_COOKIE, login, { httpOnly: true, sameSite: 'Strict', path: '/' });
    const back = form.back ?? '/';
    return context.redirect(/^\/[\w.-]+\/[\w./-]*$/.test(back) ? back : '/', 303);
  }

  async #act(context: Context): Promise<Response> {
    const form = await this.#form(context);
    const number = Number(context.req.param('number'));
    const act = ACTIONS[context.req.param('action') ?? ''];
    const repo = this.#repo();
    if (!act || !repo.items.get(number)?.pull) throw new Refusal(404, 'There is no such form.');
    const deed = { github: this.#github, repo, number, part: this.#part(context), prepared: this.#prepared };
    const other = await act(deed, form);
    const go = other === null ? null : this.#address(other);
    return isLive(context) ? context.json({ go }) : context.redirect(go ?? this.#address(number), 303);
  }

  /** The fields of a form that is ours. Throws Refusal for any other. */
  async #form(context: Context): Promise<Record<string, string>> {
    const fields = await context.req.parseBody();
    const form = Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
    const refused = refuseForm(context.req.raw.headers, { given: form.token ?? '', token: this.#token });
    if (refused) throw new Refusal(403, refused);
    return form;
  }

  /** What is left of the form is not read, so the connection ends with the answer. */
  #refuseLength(context: Context): Response | Promise<Response> {
    context.header('connection', 'close');
    return this.#say(context, { title: 'Too long', text: 'This is too long for a comment: GitHub takes 65536 characters.', status: 413 });
  }

  #refuse(context: Context, error: Error): Response | Promise<Response> {
    const known = error instanceof Refusal;
    const text = known ? wordsOf(error) : `The demo itself went wrong: ${error.message}`;
    const status = known && error.status < 500 ? error.status : 500;
    return this.#say(context, { title: known ? 'GitHub says no' : 'Something went wrong', text, status });
  }

  #say(context: Context, { title, text, status }: { title: string; text: string; status: number }): Response | Promise<Response> {
    context.status(status as Parameters<Context['status']>[0]);
    if (isLive(context)) return context.json({ problem: text });
    const number = /\/pull\/(\d+)/.exec(context.req.path)?.[1];
    const known = number !== undefined && this.#repo().items.has(Number(number));
    return context.html(plainPage(title, text, known ? this.#address(Number(number)) : '/'));
  }

  #part(context: Context): Part {
    return choosePart(this.#options.parts, getCookie(context, PART_COOKIE));
  }

  #repo(): Repository {
    return this.#github.repository(this.#options.repository);
  }

  #pulls() {
    return [...this.#repo().items.values()].filter(isPull);
  }

  #address(number: number | string): string {
    return `/${this.#options.repository}/pull/${number}`;
  }
}

function isLive(context: Context): boolean {
  return context.req.header('x-live') !== undefined;
}

/** What a refusal says, with its reasons. */
function wordsOf({ message, errors }: Refusal): string {
  const reasons = (errors ?? []).map((one) =>
    typeof one === 'string' ? one : (one.message ?? `${one.field ?? one.resource}: ${one.code}`),
  );
  return [message, ...reasons].join('. ');
}
