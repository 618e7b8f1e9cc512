import type { Account, Installation, Repository } from '../state.ts';
import type { World } from '../world.ts';

/** A JSON object as GitHub sends it. */
export type Json = Record<string, unknown>;

const PREFIX: Record<Account['type'], string> = { User: 'U', Bot: 'BOT', Organization: 'O' };

/** A time as GitHub writes it: ISO 8601 without parts of a second. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The same for a time that may not have come. */
export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

/** A global id as GraphQL and `node_id` use it. */
export function nodeId(prefix: string, id: number | string): string {
  return `${prefix}_${id}`;
}

export function accountNodeId(account: Account): string {
  return nodeId(PREFIX[account.type], account.id);
}

export function accountJson(world: World, account: Account): Json {
  const api = `${world.apiUrl}/users/${encodeURIComponent(account.login)}`;
  const page = account.type === 'Bot' ? `apps/${account.login.replace('[bot]', '')}` : account.login;
  return {
    login: account.login,
    id: account.id,
    node_id: accountNodeId(account),
    avatar_url: `${world.url}/avatars/u/${account.id}`,
    gravatar_id: '',
    url: api,
    html_url: `${world.url}/${page}`,
    repos_url: `${api}/repos`,
    organizations_url: `${api}/orgs`,
    events_url: `${api}/events{/privacy}`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

export function accountJsonOrNull(world: World, account: Account | null): Json | null {
  return account && accountJson(world, account);
}

/** An account with the fields of its public page. */
export function profileJson(world: World, account: Account): Json {
  const since = isoTime(world.startedAt);
  return {
    ...accountJson(world, account),
    name: account.login,
    company: null,
    blog: '',
    email: null,
    bio: null,
    public_repos: 0,
    created_at: since,
    updated_at: since,
  };
}

export function organizationJson(world: World, account: Account): Json {
  const api = `${world.apiUrl}/orgs/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('O', account.id),
    url: api,
    repos_url: `${api}/repos`,
    events_url: `${api}/events`,
    hooks_url: `${api}/hooks`,
    issues_url: `${api}/issues`,
    members_url: `${api}/members{/member}`,
    public_members_url: `${api}/public_members{/member}`,
    avatar_url: `${world.url}/avatars/u/${account.id}`,
    description: null,
  };
}

export function appJson(world: World): Json {
  const { app } = world;
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('A', app.id),
    client_id: app.clientId,
    owner: accountJson(world, world.appOwner),
    name: app.name,
    description: '',
    external_url: world.url,
    html_url: `${world.url}/apps/${app.slug}`,
    created_at: isoTime(world.startedAt),
    updated_at: isoTime(world.startedAt),
    permissions: app.permissions,
    events: app.events,
    installations_count: world.installations.size,
  };
}

/** `performed_via_github_app`: the app where its bot is the author. */
export function appJsonFor(world: World, author: Account): Json | null {
  return author === world.bot ? appJson(world) : null;
}

export function installationJson(world: World, installation: Installation): Json {
  const { account } = installation;
  return {
    id: installation.id,
    account: accountJson(world, account),
    repository_selection: 'selected',
    access_tokens_url: `${world.apiUrl}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${world.apiUrl}/installation/repositories`,
    html_url: `${world.url}/organizations/${account.login}/settings/installations/${installation.id}`,
    app_id: world.app.id,
    app_slug: world.app.slug,
    client_id: world.app.clientId,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: world.app.events,
    created_at: isoTime(installation.createdAt),
    updated_at: isoTime(installation.createdAt),
    single_file_name: null,
    suspended_by: installation.suspendedAt === null ? null : accountJson(world, account),
    suspended_at: isoTimeOrNull(installation.suspendedAt),
  };
}

/** OWNER, MEMBER, COLLABORATOR, CONTRIBUTOR or NONE. */
export function associationOf(repo: Repository, account: Account): string {
  if (account === repo.owner) return 'OWNER';
  if (repo.owner.members.has(account)) return 'MEMBER';
  if (repo.roles.has(account.login.toLowerCase())) return 'COLLABORATOR';
  return account.type !== 'Bot' && repo.contributors.has(account) ? 'CONTRIBUTOR' : 'NONE';
}
