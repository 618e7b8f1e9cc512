import { isAtLeast, requireAccess, roleOf } from '../access.ts';
import { noContent, ok, page } from '../answer.ts';
import { forbidden, notFound, Refusal } from '../refusal.ts';
import { type Answer, type Call, type RepoCall, type Route, repoRoute, route } from '../route.ts';
import { accountJson, type Json, profileJson } from '../shape/account.ts';
import { fullRepositoryJson } from '../shape/repository.ts';
import type { Account, Role } from '../state.ts';

const metadata = { needs: ['metadata:read'] };
const anybody = { audience: 'anybody' } as const;

/** Repositories, people and what they may do, and small things about the server. */
export function repositoryRoutes(): Route[] {
  return [
    route('GET /', anybody, ({ world }) => ok({ current_user_url: `${world.apiUrl}/user`, rate_limit_url: `${world.apiUrl}/rate_limit` })),
    route('GET /meta', anybody, () => ok({ verifiable_password_authentication: false, installed_version: '3.17.0' })),
    route('GET /rate_limit', anybody, answerRate),
    route('GET /user', {}, ({ world, caller }) => {
      if (caller.kind === 'installation') throw forbidden();
      if (caller.kind !== 'user') throw new Refusal(401, 'Requires authentication');
      return ok(profileJson(world, caller.account));
    }),
    route('GET /users/{username}', anybody, (call) => ok(profileJson(call.world, requireAccount(call)))),
    route('GET /user/{account_id}', anybody, (call) => {
      const found = [...call.world.accounts.values()].find((account) => account.id === Number(call.params.account_id));
      if (!found) throw notFound();
      return ok(profileJson(call.world, found));
    }),
    route('GET /orgs/{org}/members/{username}', {}, answerMembership),
    route('GET /repositories/{repository_id}', {}, answerById),
    repoRoute('GET ', metadata, ({ world, repo }) => ok(fullRepositoryJson(world, repo))),
    repoRoute('GET /collaborators', metadata, listCollaborators),
    repoRoute('GET /collaborators/{username}', metadata, (call) => {
      if (!call.repo.roles.has((call.params.username ?? '').toLowerCase())) throw notFound();
      return noContent();
    }),
    repoRoute('GET /collaborators/{username}/permission', metadata, answerPermission),
    repoRoute('GET /contributors', metadata, (call) =>
      page(
        call,
        [...call.repo.contributors].map((account) => ({ ...accountJson(call.world, account), contributions: 1 })),
      ),
    ),
    repoRoute('GET /languages', metadata, () => ok({})),
    repoRoute('GET /topics', metadata, () => ok({ names: [] })),
  ];
}

function answerRate({ rate }: Call): Answer {
  const core = { limit: rate.limit, used: rate.used, remaining: Math.max(0, rate.limit - rate.used), reset: rate.reset };
  return ok({ resources: { core, graphql: core, search: { limit: 30, used: 0, remaining: 30, reset: rate.reset } }, rate: core });
}

function requireAccount(call: Call): Account {
  const found = call.world.accounts.get((call.params.username ?? '').toLowerCase());
  if (!found) throw notFound();
  return found;
}

function answerMembership({ world, params }: Call): Answer {
  const organization = world.accounts.get((params.org ?? '').toLowerCase());
  const account = world.accounts.get((params.username ?? '').toLowerCase());
  if (!account || !organization?.members.has(account)) throw notFound();
  return noContent();
}

function answerById(call: Call): Answer {
  const repo = [...call.world.repositories.values()].find((one) => one.id === Number(call.params.repository_id));
  if (!repo) throw notFound();
  requireAccess(call.caller, repo, { needs: ['metadata:read'], write: false });
  return ok(fullRepositoryJson(call.world, repo));
}

function listCollaborators(call: RepoCall): Answer {
  const rows = [...call.repo.roles].map(([login, role]) => ({
    ...accountJson(call.world, call.world.account(login)),
    role_name: role,
    permissions: flagsOf(role),
  }));
  return page(call, rows);
}

function answerPermission(call: RepoCall): Answer {
  const account = requireAccount(call);
  const role = roleOf(call.repo, account.login);
  const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role;
  return ok({ permission, role_name: role, user: { ...accountJson(call.world, account), role_name: role, permissions: flagsOf(role) } });
}

function flagsOf(role: Role): Json {
  return {
    pull: isAtLeast(role, 'read'),
    triage: isAtLeast(role, 'triage'),
    push: isAtLeast(role, 'write'),
    maintain: isAtLeast(role, 'maintain'),
    admin: isAtLeast(role, 'admin'),
  };
}
