import { grants } from '../access.ts';
import { created, noContent, ok, page } from '../answer.ts';
import { forbidden, malformed, notFound, Refusal } from '../refusal.ts';
import { convertManifest } from '../registration.ts';
import { type Answer, type Call, type Route, repoRoute, route } from '../route.ts';
import { appJson, installationJson, isoTime } from '../shape/account.ts';
import { repositoryJson } from '../shape/repository.ts';
import type { Installation, Permissions, Repository } from '../state.ts';

const asApp = { audience: 'app' } as const;

/** The app itself, its installations and their tokens. */
export function appRoutes(): Route[] {
  return [
    route('GET /app', asApp, ({ world }) => ok(appJson(world))),
    route('POST /app-manifests/{code}/conversions', { audience: 'anybody' }, ({ world, params }) =>
      created(convertManifest(world, params.code ?? '')),
    ),
    route('GET /app/installations', asApp, (call) =>
      page(
        call,
        [...call.world.installations.values()].map((one) => installationJson(call.world, one)),
      ),
    ),
    route('GET /app/installations/{installation_id}', asApp, (call) => ok(installationJson(call.world, requireInstallation(call)))),
    route('DELETE /app/installations/{installation_id}', asApp, (call) => {
      call.world.installations.delete(requireInstallation(call).id);
      return noContent();
    }),
    route('POST /app/installations/{installation_id}/access_tokens', asApp, createToken),
    route('GET /orgs/{org}/installation', asApp, (call) => answerInstallation(call, call.params.org)),
    route('GET /users/{username}/installation', asApp, (call) => answerInstallation(call, call.params.username)),
    repoRoute('GET /installation', asApp, ({ world, repo }) => {
      const found = world.installationOf(repo);
      if (!found) throw notFound();
      return ok(installationJson(world, found));
    }),
    route('DELETE /installation/token', {}, ({ caller }) => {
      if (caller.kind !== 'installation') throw forbidden();
      caller.token.revoked = true;
      return noContent();
    }),
    route('GET /installation/repositories', {}, listRepositories),
  ];
}

function requireInstallation(call: Call): Installation {
  const found = call.world.installations.get(Number(call.params.installation_id));
  if (!found) throw notFound();
  return found;
}

function answerInstallation(call: Call, login = ''): Answer {
  const found = [...call.world.installations.values()].find((one) => one.account.login.toLowerCase() === login.toLowerCase());
  if (!found) throw notFound();
  return ok(installationJson(call.world, found));
}

function createToken(call: Call): Answer {
  const { world } = call;
  const installation = requireInstallation(call);
  if (installation.suspendedAt !== null) throw new Refusal(403, 'This installation has been suspended');
  const repositories = readRepositories(call, installation);
  const permissions = readPermissions(call, installation);
  const token = world.issueToken(installation, { repositories, permissions });
  const granted = token.kind === 'installation' ? token.permissions : {};
  return created({
    token: token.value,
    expires_at: isoTime(token.expiresAt),
    permissions: granted,
    repository_selection: 'selected',
    ...(repositories ? { repositories: repositories.map((repo) => repositoryJson(world, repo)) } : {}),
  });
}

function readRepositories(call: Call, installation: Installation): Repository[] | null {
  const { body } = call;
  const installed = [...installation.repositories];
  const names = body.texts('repositories');
  const ids = body.list('repository_ids');
  if (names === undefined && ids === undefined) return null;
  const wanted = [
    ...(names ?? []).map((name) => installed.find((repo) => repo.name.toLowerCase() === name.toLowerCase())),
    ...(ids ?? []).map((id) => installed.find((repo) => repo.id === id)),
  ];
  return [...new Set(wanted)].map((repo) => {
    if (!repo)
      throw new Refusal(422, 'There is at least one repository that does not exist or is not accessible to the parent installation.');
    return repo;
  });
}

function readPermissions(call: Call, installation: Installation): Permissions | null {
  const wanted = call.body.object('permissions');
  if (!wanted) return null;
  const permissions: Permissions = {};
  for (const name of wanted.names()) {
    const level = wanted.needText(name);
    if (level !== 'read' && level !== 'write' && level !== 'admin')
      throw malformed(`For 'properties/${name}', ${level} is not a possible value.`);
    if (!grants(installation.permissions, [`${name}:${level}`]))
      throw new Refusal(422, 'The permissions requested are not granted to this installation.');
    permissions[name] = level;
  }
  return permissions;
}

function listRepositories(call: Call): Answer {
  const { caller, world } = call;
  if (caller.kind !== 'installation') throw forbidden();
  const seen = [...caller.installation.repositories].filter((repo) => caller.token.repositories?.has(repo) ?? true);
  const rows = seen.map((repo) => repositoryJson(world, repo));
  return page(call, rows, (repositories, total_count) => ({ total_count, repository_selection: 'selected', repositories }));
}
