import { type Logger, pino } from 'pino';
import type { FileChanges } from '../../src/demo/git/files.ts';
import type { FaultOptions } from '../../src/demo/github/fault.ts';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Person } from '../../src/demo/github/person.ts';
import type { Installation, Permissions } from '../../src/demo/github/state.ts';
import type { Api } from '../../src/github/api.ts';
import { GitHubApp, type GitHubAppOptions } from '../../src/github/client.ts';
import type { Purpose } from '../../src/github/tokens.ts';
import type { Repository } from '../../src/journal/resource.ts';

const NAME = 'harbour/tidewater';

/** A double with one repository, two people and our App on it, which records what was asked and logged. */
export interface Stage {
  github: GitHub;
  app: GitHubApp;
  options: GitHubAppOptions;
  installation: number;
  repository: Repository;
  /** `mara` may write, `vera` may read. */
  mara: Person;
  vera: Person;
  /** `METHOD /path status` of every request, the path without the repository's prefix. */
  asked: string[];
  /** Everything that was logged, at every level. */
  lines: string[];
  api(purpose?: Exclude<Purpose, 'discovery'>): Promise<Api>;
  /** Mara commits. */
  push(files: FileChanges, branch?: string): Promise<string>;
  fault(options: FaultOptions): void;
  /** Tokens asked for so far: the bodies of those requests. */
  tokens(): unknown[];
  /** All tokens stop working. */
  revokeTokens(): void;
  grant(permissions: Permissions): void;
  close(): Promise<void>;
}

/** Starts a double whose repository holds these files, and an App on it. */
export async function openStage(files: FileChanges): Promise<Stage> {
  const github = await GitHub.start();
  const { id } = await github.createRepository(NAME, files);
  const installation = github.install(NAME);
  const mara = github.person('mara', { [NAME]: 'write' });
  const vera = github.person('vera', { [NAME]: 'read' });
  const asked: string[] = [];
  const lines: string[] = [];
  const tokens: unknown[] = [];
  const options = optionsOf(github, { asked, tokens, log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }) });
  const app = new GitHubApp(options);
  const repository = { id, fullName: NAME, owner: 'harbour', name: 'tidewater', defaultBranch: 'main', private: true, cloneUrl: '' };
  return {
    ...{ github, app, options, installation: installation.id, repository, mara, vera, asked, lines },
    api: (purpose = 'read') => app.api(installation.id, id, purpose),
    push: (changes, branch = 'main') => mara.push(NAME, branch, changes, { message: `change ${branch}` }),
    fault: (fault) => void github.fault(fault),
    tokens: () => tokens,
    revokeTokens: () => revokeAll(github, installation),
    grant: (permissions) => void Object.assign(installation, { permissions }),
    close: async () => {
      await app.close();
      await github.stop();
    },
  };
}

function optionsOf(github: GitHub, { asked, tokens, log }: { asked: string[]; tokens: unknown[]; log: Logger }): GitHubAppOptions {
  const recorded: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    const path = new URL(String(input)).pathname.replace('/api/v3', '').replace(`/repos/${NAME}`, '');
    if (path.endsWith('/access_tokens')) tokens.push(JSON.parse(String(init?.body)));
    asked.push(`${init?.method} ${path} ${answer.status}`);
    return answer;
  };
  const { id: appId, privateKey, webhookSecret } = github.app;
  return { appId, privateKey, webhookSecret, apiUrl: github.apiUrl, version: '0.1.0', log, fetch: recorded };
}

function revokeAll(github: GitHub, installation: Installation): void {
  github.changeInstallation(installation, 'suspend');
  github.changeInstallation(installation, 'unsuspend');
}
