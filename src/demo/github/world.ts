import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { Diff } from '../git/diff.ts';
import { Audit } from './audit.ts';
import { Changes } from './changes.ts';
import { Hooks } from './hooks.ts';
import type { Account, Installation, Permissions, Repository, Token } from './state.ts';

/** The GitHub App that the double knows: everything an app needs to sign in. `privateKey` is a PEM. */
export interface AppIdentity {
  id: number;
  slug: string;
  name: string;
  clientId: string;
  privateKey: string;
  webhookSecret: string;
  permissions: Permissions;
  events: string[];
}

/** Sizes above which GitHub no longer shows a diff. Tests make them smaller. */
export interface DiffLimits {
  files: number;
  lines: number;
  patchBytes: number;
  listedFiles: number;
}

const PERMISSIONS: Permissions = {
  metadata: 'read',
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  checks: 'write',
  statuses: 'write',
  actions: 'write',
  members: 'read',
};

const EVENTS = [
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_review_thread',
  'issues',
  'issue_comment',
  'push',
  'repository',
  'check_run',
  'check_suite',
  'workflow_run',
];

/** How long an installation token lives, as on GitHub. */
const TOKEN_LIFE_MS = 3_600_000;

/** The state of one double: accounts, repositories, installations, tokens, and what watches them. */
export class World {
  readonly root: string;
  readonly configFile: string;
  readonly app: AppIdentity;
  readonly publicKey: KeyObject;
  readonly bot: Account;
  readonly appOwner: Account;
  readonly accounts = new Map<string, Account>();
  readonly repositories = new Map<string, Repository>();
  readonly installations = new Map<number, Installation>();
  readonly tokens = new Map<string, Token>();
  readonly audit = new Audit();
  readonly changes = new Changes();
  readonly hooks: Hooks;
  readonly diffs = new Map<string, Promise<Diff>>();
  readonly startedAt = Date.now();
  readonly limits: DiffLimits = { files: 300, lines: 20_000, patchBytes: 500_000, listedFiles: 3_000 };
  url = '';
  /** What the Date of answers is ahead of the real time (ms). */
  clockAheadMs = 0;
  #lastId = 10_000_000;

  constructor(options: { root: string; configFile: string; webhookSecret: string; slug: string }) {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.root = options.root;
    this.configFile = options.configFile;
    this.publicKey = keys.publicKey;
    this.app = {
      id: 123_456,
      slug: options.slug,
      name: options.slug,
      clientId: `Iv23li${randomBytes(7).toString('hex')}`,
      privateKey: keys.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      webhookSecret: options.webhookSecret,
      permissions: { ...PERMISSIONS },
      events: [...EVENTS],
    };
    this.bot = this.account(`${options.slug}[bot]`);
    this.appOwner = this.account('app-owner');
    this.hooks = new Hooks({ secret: options.webhookSecret, appId: this.app.id, nextId: () => this.nextId() });
  }

  get apiUrl(): string {
    return `${this.url}/api/v3`;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** The account of this login, made on first use. */
  account(login: string, type?: Account['type']): Account {
    const key = login.toLowerCase();
    const known = this.accounts.get(key);
    if (known) {
      if (type) known.type = type;
      return known;
    }
    const account: Account = { id: this.nextId(), login, type: type ?? (login.endsWith('[bot]') ? 'Bot' : 'User'), members: new Set() };
    this.accounts.set(key, account);
    return account;
  }

  repository(fullName: string): Repository | null {
    return this.repositories.get(fullName.toLowerCase()) ?? null;
  }

  installationOf(repo: Repository): Installation | null {
    return [...this.installations.values()].find((installation) => installation.repositories.has(repo)) ?? null;
  }

  /** Makes a token of an installation; null stands for everything that the installation has. */
  issueToken(installation: Installation, cut: { repositories: Repository[] | null; permissions: Permissions | null }): Token {
    this.audit.countToken({ repositories: cut.repositories?.length ?? null, permissions: cut.permissions && Object.keys(cut.permissions) });
    const token: Token = {
      kind: 'installation',
      value: `ghs_${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`,
      expiresAt: Date.now() + TOKEN_LIFE_MS,
      revoked: false,
      installation,
      repositories: cut.repositories ? new Set(cut.repositories) : null,
      permissions: { metadata: 'read', ...(cut.permissions ?? installation.permissions) },
    };
    this.tokens.set(token.value, token);
    return token;
  }

  /** Makes a personal token. */
  issueUserToken(account: Account): Token {
    const value = `ghp_${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`;
    const token: Token = { kind: 'user', value, account, expiresAt: Number.POSITIVE_INFINITY, revoked: false };
    this.tokens.set(token.value, token);
    return token;
  }
}
