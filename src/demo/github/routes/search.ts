import { covers } from '../access.ts';
import { page } from '../answer.ts';
import { invalid } from '../refusal.ts';
import { type Answer, type Call, type Route, route } from '../route.ts';
import { commentsOn, issueJson } from '../shape/item.ts';
import type { Item, Repository } from '../state.ts';

/** One `key:value` of a query; `not` for a leading minus. */
interface Qualifier {
  not: boolean;
  key: string;
  value: string;
}

/** Search for issues and pull requests by words and the usual qualifiers. */
export function searchRoutes(): Route[] {
  return [route('GET /search/issues', {}, searchIssues)];
}

function searchIssues(call: Call): Answer {
  const { world, query, caller } = call;
  const text = query.get('q');
  if (!text) throw invalid('Search', 'q', 'missing');
  const { qualifiers, words } = readQuery(text);
  const places = qualifiers.filter(({ key }) => key === 'in').flatMap(({ value }) => value.split(','));
  const found = [...world.repositories.values()]
    .filter((repo) => covers(caller, repo))
    .flatMap((repo) => [...repo.items.values()].map((item) => ({ repo, item })))
    .filter(({ repo, item }) => qualifiers.every((one) => fits(repo, item, one) !== one.not))
    .filter(({ repo, item }) => words.every((word) => textOf(repo, item, places).includes(word)))
    .sort((a, b) => b.item.createdAt - a.item.createdAt || b.item.id - a.item.id);
  const rows = found.map(({ repo, item }) => ({ ...issueJson(world, repo, item), score: 1 }));
  return page(call, rows, (items, total_count) => ({ total_count, incomplete_results: false, items }));
}

function readQuery(text: string): { qualifiers: Qualifier[]; words: string[] } {
  const qualifiers: Qualifier[] = [];
  const words: string[] = [];
  for (const term of text.match(/-?[\w-]+:"[^"]*"|"[^"]*"|\S+/g) ?? []) {
    const [, minus, key, value] = /^(-?)([\w-]+):"?([^"]*)"?$/.exec(term) ?? [];
    if (key !== undefined && value !== undefined) qualifiers.push({ not: minus === '-', key, value: value.toLowerCase() });
    else words.push(term.replace(/^"|"$/g, '').toLowerCase());
  }
  return { qualifiers, words };
}

function textOf(repo: Repository, item: Item, places: readonly string[]): string {
  const wants = (place: string) => places.length === 0 || places.includes(place);
  const comments = wants('comments') ? commentsOn(repo, item.number).map((comment) => comment.body) : [];
  return [wants('title') ? item.title : '', wants('body') ? (item.body ?? '') : '', ...comments].join('\n').toLowerCase();
}

function fits(repo: Repository, item: Item, { key, value }: Qualifier): boolean {
  const isLogin = (account: { login: string }) => account.login.toLowerCase() === value.replace(/^app\/(.*)$/, '$1[bot]');
  switch (key) {
    case 'is':
    case 'type':
    case 'state':
      return isKind(item, value);
    case 'repo':
      return repo.fullName.toLowerCase() === value;
    case 'org':
    case 'user':
      return repo.owner.login.toLowerCase() === value;
    case 'author':
      return isLogin(item.author);
    case 'assignee':
      return [...item.assignees].some(isLogin);
    case 'commenter':
      return commentsOn(repo, item.number).some((comment) => isLogin(comment.author));
    case 'label':
      return [...item.labels].some((label) => label.name.toLowerCase() === value);
    case 'head':
      return item.pull?.headRef.toLowerCase() === value;
    case 'base':
      return item.pull?.baseRef.toLowerCase() === value;
    default:
      return true;
  }
}

function isKind(item: Item, kind: string): boolean {
  const kinds: Record<string, boolean> = {
    pr: item.pull !== null,
    'pull-request': item.pull !== null,
    issue: item.pull === null,
    open: item.state === 'open',
    closed: item.state === 'closed',
    merged: item.pull !== null && item.pull.mergedAt !== null,
    draft: item.pull?.draft ?? false,
    locked: item.locked,
  };
  return kinds[kind] ?? true;
}
