import { z } from 'zod';
import type { Event } from '../journal/event.ts';
import type { Repository } from '../journal/resource.ts';
import { askAsApp } from './app-request.ts';
import type { GitHubApp } from './client.ts';
import { makeDiscovery } from './discovery.ts';
import { toEvents } from './event.ts';
import { Permissions } from './permission.ts';

/** A check run of the App that has not ended, on the head of an open pull request; `run` is what it was opened for, `event` its pull request. */
export interface OpenCheck {
  id: number;
  name: string;
  run: string;
  event: Event;
}

const Installation = z.object({ id: z.number(), suspended_at: z.string().nullish() });
const Pull = z.looseObject({ head: z.looseObject({ sha: z.string() }), base: z.looseObject({ repo: z.unknown() }), user: z.unknown() });
type Pull = z.infer<typeof Pull>;
const Check = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  external_id: z.string().nullish(),
  app: z.object({ id: z.number() }).nullish(),
});

const PAGE = 100;

/** Finds them in every repository of every installation that is not suspended, one request after the other. Throws `GitHubError`s; it only reads. */
export async function* findOpenChecks(app: GitHubApp): AsyncGenerator<OpenCheck> {
  const { id } = await app.identity();
  for (const installation of await listInstallations(app)) {
    const installationOf = (fullName: string) => app.installationOf(fullName);
    const discovery = makeDiscovery({ installation, api: app.discovery(installation), installationOf, permissions: new Permissions() });
    for (const { repository } of await discovery.list()) yield* findIn(app, { app: id, installation, repository });
  }
}

async function listInstallations(app: GitHubApp): Promise<number[]> {
  const ids: number[] = [];
  for (let page = 1; ; page++) {
    const { data } = await askAsApp(await app.requests(), 'GET /app/installations', { per_page: PAGE, page });
    const rows = z.array(Installation).parse(data);
    ids.push(...rows.filter((row) => !row.suspended_at).map((row) => row.id));
    if (rows.length < PAGE) return ids;
  }
}

async function* findIn(
  github: GitHubApp,
  { app, installation, repository }: { app: number; installation: number; repository: Repository },
): AsyncGenerator<OpenCheck> {
  const api = await github.api(installation, repository.id, 'read');
  const place = { owner: repository.owner, repo: repository.name, per_page: PAGE };
  const pulls = await api.paginate('GET /repos/{owner}/{repo}/pulls', { ...place, state: 'open' });
  for (const pull of z.array(Pull).parse(pulls)) {
    const event = eventOf(installation, pull);
    if (!event) continue;
    const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
    const rows = z.array(Check).parse(await api.paginate(route, { ...place, ref: pull.head.sha, filter: 'all' }));
    for (const row of rows)
      if (row.app?.id === app && row.status !== 'completed') yield { id: row.id, name: row.name, run: row.external_id ?? '', event };
  }
}

/** The pull request as a delivery would have told of it. */
function eventOf(installation: number, pull: Pull): Event | null {
  const payload = {
    action: 'edited',
    installation: { id: installation },
    repository: pull.base.repo,
    sender: pull.user,
    pull_request: pull,
  };
  return toEvents({ id: 'recover', name: 'pull_request', payload }, { aliases: [], slug: '' }).events[0] ?? null;
}
