import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSettings } from '../git/bare.ts';
import type { FileChanges } from '../git/files.ts';
import { sendInstallationEvent, sendInstallationRepositoriesEvent } from './act/event.ts';
import { createRepository, type ImportOptions, importRepository, type RepositoryOptions } from './act/repository.ts';
import type { Audit } from './audit.ts';
import type { Changes } from './changes.ts';
import type { Fault, FaultOptions } from './fault.ts';
import type { Hooks } from './hooks.ts';
import type { LogEntry } from './log.ts';
import { Person } from './person.ts';
import { allRoutes } from './routes/all.ts';
import { type Pages, Server } from './server.ts';
import { commentsOn } from './shape/item.ts';
import type {
  Account,
  CheckRun,
  Comment,
  Installation,
  Item,
  Permissions,
  Reaction,
  Repository,
  Review,
  ReviewComment,
  Role,
  Thread,
} from './state.ts';
import { type AppIdentity, type DiffLimits, World } from './world.ts';

/** A repository or its full name. */
export type RepositoryName = string | Repository;

/** How a double is started. `dir` takes its scratch folder (default: the system's); `slug` names the app, whose bot is `<slug>[bot]`. */
export interface GitHubOptions {
  port?: number;
  webhookSecret?: string;
  dir?: string;
  slug?: string;
}

/**
 * A GitHub on loopback that needs no account: REST, the GraphQL of review threads, git over HTTP and signed webhooks, over real bare git repositories. It signs apps in,
 * checks tokens, refuses what GitHub refuses, in its words, and remembers everything until `stop`.
 */
export class GitHub {
  readonly #world: World;
  readonly #server: Server;
  readonly #http: HttpServer;

  private constructor(world: World) {
    this.#world = world;
    this.#server = new Server(world);
    this.#server.router.add(allRoutes());
    this.#http = createServer((request, response) => void this.#server.handle(request, response));
  }

  /** Starts a double on `port` (default: a free one) of 127.0.0.1. */
  static async start(options: GitHubOptions = {}): Promise<GitHub> {
    const root = await mkdtemp(join(options.dir ?? tmpdir(), 'github-double-'));
    const webhookSecret = options.webhookSecret ?? randomBytes(24).toString('hex');
    const world = new World({ root, configFile: await writeSettings(root), webhookSecret, slug: options.slug ?? 'pitwall' });
    const github = new GitHub(world);
    await github.#listen(options.port ?? 0).catch(async (error: unknown) => {
      await rm(root, { recursive: true, force: true });
      throw error;
    });
    return github;
  }

  /** Ends the server, lets go of its connections and removes every file. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    this.hooks.close();
    this.#http.closeAllConnections();
    await Promise.all([closed, this.hooks.idle()]);
    await Promise.all([...this.#world.repositories.values()].map((repo) => repo.settling.catch(() => undefined)));
    await rm(this.#world.root, { recursive: true, force: true, maxRetries: 5 });
  }

  get url(): string {
    return this.#world.url;
  }

  /** Address for REST, as `GITHUB_API_URL` of a GitHub Enterprise Server; GraphQL is beside it at `/api/graphql`. */
  get apiUrl(): string {
    return this.#world.apiUrl;
  }

  /** What the app needs to sign in. */
  get app(): AppIdentity {
    return this.#world.app;
  }

  /** The app's account, `<slug>[bot]`. */
  get bot(): Account {
    return this.#world.bot;
  }

  get hooks(): Hooks {
    return this.#world.hooks;
  }

  get changes(): Changes {
    return this.#world.changes;
  }

  get audit(): Audit {
    return this.#world.audit;
  }

  /** Every request so far, in order. */
  get log(): readonly LogEntry[] {
    return this.#server.log;
  }

  /** Errors of the double itself, which a client saw as a 500; empty when all is well. */
  get defects(): readonly Error[] {
    return this.#server.defects;
  }

  /** Sizes above which diffs are no longer shown; may be changed. */
  get limits(): DiffLimits {
    return this.#world.limits;
  }

  /** Who answers addresses that belong to neither API nor git: pages for people. */
  set pages(pages: Pages | null) {
    this.#server.pages = pages;
  }

  /** Shows a time in answers that is ahead of the real one (ms), or behind it. */
  set clockAheadMs(ms: number) {
    this.#world.clockAheadMs = ms;
  }

  /** Makes a repository (private unless said otherwise) with one commit of these files on its default branch, `main`. */
  createRepository(
    fullName: string,
    files: FileChanges = { 'README.md': '# Example\n' },
    options: RepositoryOptions = {},
  ): Promise<Repository> {
    return createRepository(this.#world, { fullName, files, options });
  }

  /** Makes a repository of commits that a local one holds; the local one is only read. */
  importRepository(fullName: string, dir: string, options: ImportOptions): Promise<Repository> {
    return importRepository(this.#world, { fullName, dir, options });
  }

  /** The repository of this name. Throws an Error when there is none. */
  repository(name: RepositoryName): Repository {
    const repo = typeof name === 'string' ? this.#world.repository(name) : name;
    if (!repo) throw new Error(`there is no repository ${String(name)}: make it with createRepository`);
    return repo;
  }

  repositories(): Repository[] {
    return [...this.#world.repositories.values()];
  }

  /** Installs the app on a repository, in the installation of its owner if there is one already; sends the event. */
  install(name: RepositoryName, permissions?: Permissions): Installation {
    const world = this.#world;
    const repo = this.repository(name);
    const known = [...world.installations.values()].find((one) => one.account === repo.owner);
    if (known) {
      known.repositories.add(repo);
      sendInstallationRepositoriesEvent(world, known, { action: 'added', repositories: [repo] });
      return known;
    }
    const installation: Installation = {
      id: world.nextId(),
      account: repo.owner,
      permissions: permissions ?? { ...world.app.permissions },
      repositories: new Set([repo]),
      createdAt: Date.now(),
      suspendedAt: null,
    };
    world.installations.set(installation.id, installation);
    sendInstallationEvent(world, installation, 'created');
    return installation;
  }

  /** Takes repositories out of an installation, with its event. */
  uninstall(installation: Installation, ...names: RepositoryName[]): void {
    const repositories = names.map((name) => this.repository(name));
    for (const repo of repositories) installation.repositories.delete(repo);
    sendInstallationRepositoriesEvent(this.#world, installation, { action: 'removed', repositories });
  }

  /** Deletes, suspends or unsuspends an installation, with its event; its tokens die with the first two. */
  changeInstallation(installation: Installation, action: 'deleted' | 'suspend' | 'unsuspend'): void {
    const world = this.#world;
    if (action === 'deleted') world.installations.delete(installation.id);
    else installation.suspendedAt = action === 'suspend' ? Date.now() : null;
    if (action !== 'unsuspend') {
      for (const token of world.tokens.values())
        if (token.kind === 'installation' && token.installation === installation) token.revoked = true;
    }
    sendInstallationEvent(world, installation, action);
  }

  /** Somebody who acts here; `roles` says what they may do in which repository. */
  person(login: string, roles: Record<string, Role> = {}): Person {
    for (const [name, role] of Object.entries(roles)) {
      const repo = this.repository(name);
      if (role === 'none') repo.roles.delete(login.toLowerCase());
      else repo.roles.set(login.toLowerCase(), role);
    }
    return new Person(this.#world, this.#world.account(login));
  }

  /** Makes somebody a member of an organization. */
  addMember(organization: string, login: string): void {
    this.#world.account(organization, 'Organization').members.add(this.#world.account(login));
  }

  /** A token of an installation without the HTTP in between; null stands for all that the installation has. */
  issueToken(installation: Installation, cut: { repositories?: RepositoryName[]; permissions?: Permissions } = {}): string {
    const repositories = cut.repositories?.map((name) => this.repository(name)) ?? null;
    return this.#world.issueToken(installation, { repositories, permissions: cut.permissions ?? null }).value;
  }

  /** Lets something go wrong; see FaultOptions. */
  fault(options: FaultOptions): Fault {
    return this.#server.faults.add(options);
  }

  clearFaults(): void {
    this.#server.faults.clear();
  }

  /** An issue or a pull request. Throws an Error when there is none. */
  item(name: RepositoryName, number: number): Item {
    const item = this.repository(name).items.get(number);
    if (!item) throw new Error(`there is no issue or pull request ${number} in ${this.repository(name).fullName}`);
    return item;
  }

  /** Reviews of a pull request, oldest first, pending ones and those around single comments included. */
  reviews(name: RepositoryName, number: number): Review[] {
    return [...this.repository(name).reviews.values()].filter((review) => review.number === number);
  }

  /** Comments on the diff, oldest first, pending ones included. */
  reviewComments(name: RepositoryName, number: number): ReviewComment[] {
    return [...this.repository(name).reviewComments.values()].filter((comment) => comment.number === number);
  }

  threads(name: RepositoryName, number: number): Thread[] {
    return [...this.repository(name).threads.values()].filter((thread) => thread.number === number);
  }

  /** Comments in the conversation, oldest first. */
  comments(name: RepositoryName, number: number): Comment[] {
    return commentsOn(this.repository(name), number);
  }

  /** Check runs, oldest first; of one commit when it is named. */
  checks(name: RepositoryName, sha?: string): CheckRun[] {
    return [...this.repository(name).checkRuns.values()].filter((run) => sha === undefined || run.sha === sha);
  }

  /** Reactions to an issue or a pull request itself. */
  reactions(name: RepositoryName, number: number): Reaction[] {
    return this.item(name, number).reactions;
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#http.address();
    this.#world.url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`;
  }
}
