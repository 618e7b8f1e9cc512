import type { Api } from '../../src/github/api.ts';
import { GitHubError } from '../../src/github/error.ts';
import type { Clockwork } from './clockwork.ts';
import type { Process } from './process.ts';

export const LOGIN = 'pitwall[bot]';
export const NUMBER = 7;

interface Row {
  id: number;
  body: string;
  login: string;
  at: number;
}

type Parameters = Record<string, unknown>;

/** GitHub as the publisher sees it: one pull request with comments, reactions and checks. Some answers are a 502, whether or not the request was carried out. */
export class GitHub {
  readonly #works: Clockwork;
  readonly comments = new Map<number, Row>();
  readonly reactions = new Set<string>();
  readonly checks = new Map<number, Parameters>();
  /** 502s that may still come. */
  moods: number;
  /** Whether its lists show what is there. */
  lists = true;
  #ids = 1_000;

  constructor(works: Clockwork, moods: number) {
    this.#works = works;
    this.moods = moods;
  }

  /** A person's comment. */
  say(id: number, body: string): void {
    this.comments.set(id, { id, body, login: 'ana', at: this.#works.now });
  }

  /** GitHub's API as a process reaches it. */
  api(process: Process): Api {
    const request = (route: string, parameters: Parameters) =>
      process
        .call(route, () => ({ data: this.#moody(route, parameters) }), { slow: 60 })
        .catch((error: Error) => {
          throw error instanceof GitHubError ? error : new GitHubError(error.message, { kind: 'network' });
        });
    return { request } as unknown as Api;
  }

  #moody(route: string, parameters: Parameters): unknown {
    const mood = this.#works.below(20);
    if (mood > 1 || this.moods <= 0) return this.#carryOut(route, parameters);
    this.moods--;
    if (mood === 0) this.#carryOut(route, parameters);
    this.#works.note('GitHub', mood === 0 ? 'acts and answers 502' : 'answers 502');
    throw new GitHubError('502', { kind: 'unavailable', response: { status: 502, headers: {}, data: null } });
  }

  #carryOut(route: string, parameters: Parameters): unknown {
    const [method = '', path = ''] = route.split(' ');
    if (path.endsWith('/reactions')) return this.#react(path, parameters);
    if (path.includes('check-runs')) return this.#check(method, parameters);
    if (path.endsWith('/issues/{issue_number}/comments')) return method === 'POST' ? this.#create(parameters) : this.#list();
    const row = this.comments.get(Number(parameters.comment_id ?? parameters.id));
    if (!row) throw new GitHubError('404', { kind: 'missing', response: { status: 404, headers: {}, data: null } });
    if (method === 'PATCH') row.body = String(parameters.body);
    if (method === 'DELETE') this.comments.delete(row.id);
    return show(row);
  }

  #create({ body }: Parameters): unknown {
    const row = { id: ++this.#ids, body: String(body), login: LOGIN, at: this.#works.now };
    this.comments.set(row.id, row);
    return show(row);
  }

  #list(): unknown {
    return this.lists ? [...this.comments.values()].map(show) : [];
  }

  #react(path: string, { id, content }: Parameters): unknown {
    this.reactions.add(`${path.includes('/comments/') ? 'comment' : 'issue'} ${id} ${content}`);
    return { id: Number(id) };
  }

  #check(method: string, parameters: Parameters): unknown {
    if (method === 'GET') return { check_runs: this.lists ? [...this.checks].map(([id, check]) => ({ id, ...check })) : [] };
    const id = Number(parameters.check_run_id ?? ++this.#ids);
    this.checks.set(id, { ...this.checks.get(id), ...parameters });
    return { id, html_url: '', external_id: this.checks.get(id)?.external_id };
  }
}

function show({ id, body, login }: Row) {
  return { id, body, html_url: '', issue_url: `https://github.example/repos/acme/app/issues/${NUMBER}`, user: { login } };
}
