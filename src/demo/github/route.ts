import type { IncomingMessage } from 'node:http';
import type { Caller } from './access.ts';
import type { Fields } from './fields.ts';
import { notFound } from './refusal.ts';
import type { Account, Repository } from './state.ts';
import type { World } from './world.ts';

/** Counters of the hourly limit of one caller; `reset` in seconds since 1970. */
export interface Rate {
  limit: number;
  used: number;
  reset: number;
}

/** Where something happens and who does it; acts take one. */
export interface Scene {
  world: World;
  repo: Repository;
  by: Account;
}

/** One request as handlers see it. `path` is without the prefix of the API; `media` is the word of a `vnd.github` accept header. */
export interface Call {
  world: World;
  request: IncomingMessage;
  url: URL;
  path: string;
  method: string;
  params: Record<string, string>;
  query: URLSearchParams;
  body: Fields;
  media: string;
  caller: Caller;
  rate: Rate;
}

/** A request about a repository, by somebody. Also a Scene, so that it can be handed to acts. */
export type RepoCall = Call & Scene;

/** What goes out. A `body` that is text or bytes needs its own content-type; undefined sends none. */
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/**
 * One route. `needs` names permissions of which one is enough; `audience` says who may come: holders of the app's JWT, anybody, or (default) whoever `needs` admits;
 * `content` marks what GitHub counts as new content.
 */
export interface Route {
  method: string;
  template: string;
  needs: readonly string[];
  audience: 'app' | 'anybody' | 'holder';
  content: boolean;
  run: (call: Call) => Answer | Promise<Answer>;
}

/** What a route asks for; see Route. */
export interface RouteOptions {
  needs?: readonly string[];
  audience?: Route['audience'];
  content?: boolean;
}

/** A route that is about no single repository. */
export function route(address: string, options: RouteOptions, run: Route['run']): Route {
  const [method = 'GET', template = '/'] = address.split(' ');
  return { method, template, needs: options.needs ?? [], audience: options.audience ?? 'holder', content: options.content ?? false, run };
}

/** A route below `/repos/{owner}/{repo}`; `address` is what follows. */
export function repoRoute(address: string, options: RouteOptions, run: (call: RepoCall) => Answer | Promise<Answer>): Route {
  const [method, tail = ''] = address.split(' ');
  return route(`${method} /repos/{owner}/{repo}${tail}`, options, (call) => run(requireRepository(call)));
}

/** The repository a call names, with the acting account. Throws a 404. */
export function requireRepository(call: Call): RepoCall {
  const repo = call.world.repository(`${call.params.owner}/${call.params.repo}`);
  if (!repo) throw notFound();
  return { ...call, repo, by: call.caller.account ?? call.world.account('ghost') };
}

/** Finds routes by method and path: literal parts before parameters; `path`, `ref`, `basehead` and `branch` may hold slashes and come last. */
export class Router {
  readonly #routes: { route: Route; pattern: RegExp; rank: string }[] = [];

  add(routes: readonly Route[]): void {
    for (const one of routes) this.#routes.push({ route: one, pattern: patternOf(one.template), rank: rankOf(one.template) });
    this.#routes.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  }

  match(method: string, path: string): { route: Route; params: Record<string, string> } | null {
    for (const { route: one, pattern } of this.#routes) {
      const found = one.method === method ? pattern.exec(path) : null;
      if (found)
        return { route: one, params: Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, value]) => [name, decode(value)])) };
    }
    return null;
  }
}

function patternOf(template: string): RegExp {
  const source = template
    .replace(/[.+*?^$()|[\]\\]/g, '\\$&')
    .replace(/\{(path|ref|basehead|branch)\}/g, '(?<$1>.+)')
    .replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`);
}

function rankOf(template: string): string {
  return template
    .replace(/\{(path|ref|basehead|branch)\}$/, '~~\uffff')
    .replace(/\{(path|ref)\}/g, '~~')
    .replace(/\{\w+\}/g, '~');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
