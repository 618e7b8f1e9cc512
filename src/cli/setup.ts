import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { exchangeCode, type RegisteredApp } from '../github/app-registration.ts';
import { type AppManifest, parseAppManifest } from '../workflow/app-manifest.ts';
import { readAppFile } from './app-file.ts';
import { NO_ADDRESS, WEBHOOK_PATH } from './doctor/webhook.ts';
import type { SetupPage } from './setup-page.ts';
import { openSetupServer } from './setup-server.ts';
import { UsageError } from './usage-error.ts';

/** The options of `pitwall setup`. `url` is the server's public address; `port` is that of the local page (a free one by default). */
export interface SetupOptions {
  githubUrl: string;
  org?: string;
  url?: string;
  out: string;
  port?: number;
}

/** What `pitwall setup` is handed. `ask` is there where a person sits at a terminal: it asks for the public address, null for none. */
export interface SetupDeps {
  version: string;
  cwd: string;
  signal: AbortSignal;
  ask?: () => Promise<string | null>;
  /** How long GitHub's code may take, 1 h by default (ms). */
  limitMs?: number;
  out(text: string): void;
  err(text: string): void;
}

const LIMIT_MS = 3_600_000;

/**
 * Makes a GitHub App by GitHub's manifest flow, and writes its id, key and secret to a new file that only its owner can read. Answers 0, 1 where it was not made,
 * 2 where the options cannot be used. Prints no secret.
 */
export async function setup(options: SetupOptions, deps: SetupDeps): Promise<number> {
  const file = resolve(deps.cwd, options.out);
  let taken: FileHandle | null = null;
  let written = false;
  try {
    const site = readAddress(options.githubUrl, '--github-url');
    if (options.org !== undefined && !/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(options.org))
      throw new UsageError(`--org ${options.org} is no name of an organization`);
    taken = await reserve(file, options.out);
    const given = options.url ?? (await deps.ask?.()) ?? null;
    const publicUrl = given === null ? null : readAddress(given, '--url');
    const handle = taken;
    await runFlow({ options, site, publicUrl, deps }, async (app) => {
      await handle.writeFile(environmentText(app, site));
      await handle.sync();
      written = true;
      deps.out(nextSteps(app, { file: relative(deps.cwd, file) || file, publicUrl }));
    });
    return 0;
  } catch (error) {
    deps.err(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    await taken?.close();
    if (taken && !written) await rm(file, { force: true });
  }
}

interface Flow {
  options: SetupOptions;
  site: string;
  publicUrl: string | null;
  deps: SetupDeps;
}

async function runFlow({ options, site, publicUrl, deps }: Flow, keep: (app: RegisteredApp) => Promise<void>): Promise<void> {
  const wanted = parseAppManifest(await readAppFile());
  const page = await openSetupServer({
    formUrl: `${site}${options.org ? `/organizations/${options.org}` : ''}/settings/apps/new`,
    port: options.port ?? 0,
    manifest: (redirectUrl) => manifestOf(wanted, { redirectUrl, publicUrl, org: options.org }),
    async use(code): Promise<SetupPage> {
      const app = await exchangeCode(code, { apiUrl: apiUrlOf(site), version: deps.version, signal: deps.signal });
      if (app.webhookSecret === null)
        throw new Error(`GitHub gave the App ${app.slug} no webhook secret: delete it, and run pitwall setup again`);
      await keep(app);
      const href = `${app.url}/installations/new`;
      return {
        title: 'The App is made',
        text: 'Its keys are on this machine. Now install it:',
        next: { kind: 'link', href, label: 'Choose repositories' },
      };
    },
  });
  deps.err(`Open this address in a browser on this machine:\n\n  ${page.url}\n\n`);
  deps.err(
    `(From another machine: ssh -L ${page.port}:127.0.0.1:${page.port} here, then open it there.) Waiting for GitHub; Ctrl-C stops.\n`,
  );
  try {
    await Promise.race([page.done, giveUp(deps.limitMs ?? LIMIT_MS, deps.signal)]);
  } finally {
    await page.close();
  }
}

/** Rejects when the time is over or somebody stops it. */
function giveUp(ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error('Stopped; no file was written.'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    setTimeout(() => reject(new Error('GitHub sent nobody back in time, no file was written: run pitwall setup again.')), ms).unref();
  });
}

/** The manifest for GitHub's form. Without a public address deliveries go nowhere and are read from GitHub's list. */
function manifestOf(
  wanted: AppManifest,
  { redirectUrl, publicUrl, org }: { redirectUrl: string; publicUrl: string | null; org: string | undefined },
): unknown {
  return {
    name: `${wanted.name} ${org ?? randomBytes(3).toString('hex')}`.slice(0, 34),
    url: publicUrl ?? wanted.url,
    redirect_url: redirectUrl,
    public: false,
    hook_attributes: { url: `${publicUrl ?? `https://${NO_ADDRESS}`}${WEBHOOK_PATH}`, active: true },
    default_permissions: wanted.permissions,
    default_events: wanted.events,
  };
}

/** Takes the file before anything is made on GitHub, so that what GitHub tells once is never lost. */
async function reserve(file: string, name: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EEXIST')
      throw new UsageError(`${name} exists already and may hold the keys of an App: move it away, or name another file with --out`);
    throw new UsageError(`${name} cannot be written (${code}): name another file with --out`);
  }
}

function readAddress(text: string, option: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain = url && (url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1')) && !url.username;
  if (!plain || url.search || url.hash) throw new UsageError(`${option} ${text} cannot be used: give an address like https://host`);
  return url.href.replace(/\/+$/, '');
}

/** Where the API of a GitHub is: github.com, an enterprise's own host, or one of its own with data residency (`*.ghe.com`). */
function apiUrlOf(site: string): string {
  const { hostname } = new URL(site);
  if (hostname === 'github.com' || hostname.endsWith('.ghe.com')) return `https://api.${hostname}`;
  return `${site}/api/v3`;
}

/** The lines of an environment file; shells, `node --env-file` and docker read it alike. */
function environmentText(app: RegisteredApp, site: string): string {
  const key = app.privateKey.trim().replaceAll('\r', '').replaceAll('\n', '\\n');
  const lines = [
    `# The GitHub App ${app.slug} (${app.url}). Keep this file secret.`,
    `APP_ID=${app.id}`,
    `PRIVATE_KEY="${key}"`,
    `WEBHOOK_SECRET="${app.webhookSecret}"`,
    ...(site === 'https://github.com' ? [] : [`GITHUB_API_URL="${apiUrlOf(site)}"`]),
  ];
  return `${lines.join('\n')}\n`;
}

function nextSteps(app: RegisteredApp, { file, publicUrl }: { file: string; publicUrl: string | null }): string {
  return [
    `The GitHub App ${app.slug} is made. Its id, key and webhook secret are in ${file}, which only you can read: never commit it.`,
    '',
    'Next:',
    `  1. Install it on repositories:   ${app.url}/installations/new`,
    `  2. Load the file and a model key: set -a; . ./${file}; set +a; export ANTHROPIC_API_KEY=...`,
    '  3. Look whether all is well:      pitwall doctor',
    `  4. Start the server:              pitwall start${publicUrl === null ? ' --poll   (the App has no public address)' : ''}`,
    '  5. In a repository:               pitwall init, then commit .overcut/',
    '',
  ].join('\n');
}
