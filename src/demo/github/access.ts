import { createVerify } from 'node:crypto';
import { isRecord } from './fields.ts';
import { forbidden, notFound, Refusal } from './refusal.ts';
import type { Access, Account, Installation, Permissions, Repository, Role, Token } from './state.ts';
import type { World } from './world.ts';

/** Who sends a request. `key` names whose limits it counts against. */
export type Caller =
  | { kind: 'anonymous'; key: string; account: null }
  | { kind: 'app'; key: string; account: Account }
  | { kind: 'user'; key: string; account: Account }
  | { kind: 'installation'; key: string; account: Account; installation: Installation; token: Token & { kind: 'installation' } };

const RANK: Record<Access, number> = { read: 1, write: 2, admin: 3 };
const ROLES: Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];

/** Reads who sends a request from its `authorization` header. Throws a 401 for what GitHub would not know. */
export function identifyCaller(world: World, header: string | undefined): Caller {
  const secret = readSecret(header);
  if (secret === null) return { kind: 'anonymous', key: 'anonymous', account: null };
  if (secret.split('.').length === 3) return verifyAppToken(world, secret);
  const token = world.tokens.get(secret);
  if (!token || token.revoked || token.expiresAt < Date.now()) {
    world.audit.breach('token-refused', token ? 'an expired or revoked token' : 'an unknown token');
    throw new Refusal(401, 'Bad credentials');
  }
  if (token.kind === 'user') return { kind: 'user', key: token.account.login, account: token.account };
  return {
    kind: 'installation',
    key: `installation-${token.installation.id}`,
    account: world.bot,
    installation: token.installation,
    token,
  };
}

/** What a person may do in a repository; everybody may read a public one. */
export function roleOf(repo: Repository, login: string): Role {
  return repo.roles.get(login.toLowerCase()) ?? (repo.private ? 'none' : 'read');
}

/** Says whether a role is at least another one. */
export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Says whether the caller's token reaches a repository at all. */
export function covers(caller: Caller, repo: Repository): boolean {
  if (caller.kind !== 'installation') return caller.kind === 'user' ? roleOf(repo, caller.account.login) !== 'none' : !repo.private;
  return caller.installation.repositories.has(repo) && (caller.token.repositories?.has(repo) ?? true);
}

/** Says whether permissions satisfy one of the `needs` (`pull_requests:write`). */
export function grants(permissions: Permissions, needs: readonly string[]): boolean {
  return needs.some((need) => {
    const [name = '', level = ''] = need.split(':');
    const has = permissions[name];
    return has !== undefined && RANK[has] >= (level === 'read' ? 1 : level === 'write' ? 2 : 3);
  });
}

/** What a request needs, seen from its route. */
export interface Demand {
  needs: readonly string[];
  write: boolean;
}

/** Refuses what the caller may not do in a repository, in GitHub's words: 404 for what it must not know of, 403 for the rest. */
export function requireAccess(caller: Caller, repo: Repository, demand: Demand): void {
  if (caller.kind === 'app') throw forbidden();
  if (!covers(caller, repo)) refuseStranger(caller, repo, demand);
  else if (caller.kind === 'installation' && demand.needs.length > 0 && !grants(caller.token.permissions, demand.needs)) {
    throw forbidden({ 'x-accepted-github-permissions': demand.needs.map((need) => need.replace(':', '=')).join('; ') });
  }
}

function refuseStranger(caller: Caller, repo: Repository, demand: Demand): void {
  if (repo.private) throw notFound();
  if (demand.write) throw caller.kind === 'anonymous' ? new Refusal(401, 'Requires authentication') : forbidden();
}

/** How GitHub's git server answers: 200, 401 (sign in), 403 (not that) or 404 (no such repository for you). */
export function gitStatus(caller: Caller, repo: Repository, write: boolean): 200 | 401 | 403 | 404 {
  if (caller.kind === 'app') return 401;
  if (caller.kind === 'anonymous') return repo.private || write ? 401 : 200;
  if (caller.kind === 'user') {
    const role = roleOf(repo, caller.account.login);
    if (role === 'none') return 404;
    return write && !isAtLeast(role, 'write') ? 403 : 200;
  }
  if (!covers(caller, repo)) return repo.private || write ? 404 : 200;
  return grants(caller.token.permissions, [write ? 'contents:write' : 'contents:read']) ? 200 : 403;
}

function readSecret(header: string | undefined): string | null {
  const [, scheme = '', value = ''] = /^(bearer|token|basic)\s+(\S+)$/i.exec(header ?? '') ?? [];
  if (!value) return null;
  if (scheme.toLowerCase() !== 'basic') return value;
  const [user = '', ...rest] = Buffer.from(value, 'base64').toString().split(':');
  return rest.join(':') || user;
}

function verifyAppToken(world: World, token: string): Caller {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const [header, claims] = [readPart(head), readPart(payload)];
  const signed =
    header?.alg === 'RS256' && createVerify('RSA-SHA256').update(`${head}.${payload}`).verify(world.publicKey, signature, 'base64url');
  if (!signed || !claims) throw new Refusal(401, 'A JSON web token could not be decoded');
  const now = Date.now() / 1000;
  const { exp, iat, iss } = claims;
  if (!Number.isInteger(exp) || Number(exp) < now) {
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (Number(exp) > now + 660) throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  if (!Number.isInteger(iat) || Number(iat) > now + 60) {
    throw new Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  }
  if (![String(world.app.id), world.app.clientId].includes(String(iss)))
    throw new Refusal(401, "'Issuer' claim ('iss') must be an Integer");
  return { kind: 'app', key: 'app', account: world.bot };
}

function readPart(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
