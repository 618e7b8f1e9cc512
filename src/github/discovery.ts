import { z } from 'zod';
import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { toRepository } from './context.ts';
import { GitHubError } from './error.ts';
import type { Permissions } from './permission.ts';
import { RepositoryPayload } from './webhook.ts';

/** A repository of an installation, with what helps to tell what it is for. */
export interface Listed {
  repository: Repository;
  description: string;
  language: string;
  topics: string[];
}

/** What one installation has, seen with a token that reads names and permissions and nothing else. All throw `GitHubError`s. */
export interface Discovery {
  /** Repositories that are in use, the one that was pushed to last first. */
  list(): Promise<Listed[]>;
  /** A repository by its name of now; null where this installation does not have it, whoever else has. */
  find(fullName: string): Promise<Listed | null>;
  /** Whether a person may read a repository. */
  canRead(repository: Repository, login: string): Promise<boolean>;
}

/** What discovery works with. `installationOf` names the installation that has a repository. */
export interface DiscoveryOptions {
  installation: number;
  api: Api;
  installationOf(fullName: string): Promise<number>;
  permissions: Permissions;
}

const Row = RepositoryPayload.extend({
  private: z.boolean(),
  language: z.string().nullish(),
  topics: z.array(z.string()).nullish(),
  archived: z.boolean().nullish(),
  disabled: z.boolean().nullish(),
  pushed_at: z.string().nullish(),
});
type Row = z.infer<typeof Row>;

const PAGE = 100;
const MOST_PAGES = 30;
const FULL_NAME = /^[\w.-]+\/[\w.-]+$/;

/** Looks at the repositories of one installation. */
export function makeDiscovery({ installation, api, installationOf, permissions }: DiscoveryOptions): Discovery {
  return {
    list: () => listAll(api),
    async find(fullName) {
      if (!FULL_NAME.test(fullName)) return null;
      try {
        if ((await installationOf(fullName)) !== installation) return null;
        const [owner = '', repo = ''] = fullName.split('/');
        const { data } = await api.request('GET /repos/{owner}/{repo}', { owner, repo });
        return toListed(Row.parse(data));
      } catch (error) {
        if (error instanceof GitHubError && error.kind === 'missing') return null;
        throw error;
      }
    },
    canRead: async (repository, login) => (await permissions.of(api, repository, login)) !== 'none',
  };
}

async function listAll(api: Api): Promise<Listed[]> {
  const rows: Row[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { data } = await api.request('GET /installation/repositories', { per_page: PAGE, page });
    const { repositories } = z.object({ repositories: z.array(Row) }).parse(data);
    rows.push(...repositories);
    if (repositories.length < PAGE) break;
  }
  const used = rows.filter(({ archived, disabled }) => !archived && !disabled);
  return used.sort((a, b) => (b.pushed_at ?? '').localeCompare(a.pushed_at ?? '') || a.id - b.id).map(toListed);
}

function toListed(row: Row): Listed {
  return { repository: toRepository(row), description: row.description, language: row.language ?? '', topics: row.topics ?? [] };
}
