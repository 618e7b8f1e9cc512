import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitOptions, runGit } from './command.ts';

/** Settings for every git process of the double: our own folders only, so ownership proves nothing, and any object may be asked for. */
const SETTINGS = `[safe]
\tdirectory = *
\tbareRepository = all
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[receive]
\thideRefs = refs/pull
[http]
\treceivepack = true
[gc]
\tauto = 0
[core]
\tquotePath = false
`;

const OWN_REFS = 'refs/heads/';

/** Author and committer of what the double commits. */
export interface Signature {
  name: string;
  email: string;
}

/** One commit as git tells it; dates are ISO 8601 in UTC. */
export interface CommitRecord {
  sha: string;
  tree: string;
  parents: string[];
  author: Signature & { date: string };
  committer: Signature & { date: string };
  message: string;
}

/** Writes the settings file that all repositories below `root` share, and returns its path. */
export async function writeSettings(root: string): Promise<string> {
  const file = join(root, 'gitconfig');
  await writeFile(file, SETTINGS);
  return file;
}

/** A bare repository on disk: the objects and refs behind one repository of the double. */
export class BareRepository {
  readonly dir: string;
  readonly configFile: string;

  private constructor(dir: string, configFile: string) {
    this.dir = dir;
    this.configFile = configFile;
  }

  /** Makes an empty repository at `dir` whose HEAD is `branch`. */
  static async create(dir: string, options: { configFile: string; branch: string }): Promise<BareRepository> {
    await mkdir(dir, { recursive: true });
    const bare = new BareRepository(dir, options.configFile);
    await bare.run(['init', '-q', '--bare', '-b', options.branch, '.']);
    return bare;
  }

  run(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
    return runGit(this.dir, args, { ...options, configFile: this.configFile });
  }

  async text(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.run(args, options)).toString('utf8');
  }

  /** The commit that a full ref name or an id stands for, or null. */
  async commitOf(name: string): Promise<string | null> {
    return this.#verify(`${name}^{commit}`);
  }

  /** The tree that a commit, tag or tree stands for, or null. */
  async treeOf(name: string): Promise<string | null> {
    return this.#verify(`${name}^{tree}`);
  }

  async #verify(expression: string): Promise<string | null> {
    if (!expression || expression.startsWith('-') || /[\0\n]/.test(expression)) return null;
    const out = await this.text(['rev-parse', '--verify', '--quiet', '--end-of-options', expression], { expect: [0, 1, 128] });
    return out.trim() || null;
  }

  /** What GitHub takes for `ref` in an address: a branch first, then a tag, any other ref, an id (also shortened). */
  async resolve(ref: string): Promise<string | null> {
    const names = ref.startsWith('refs/') || ref === 'HEAD' ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`, ref];
    for (const name of names) {
      const sha = await this.commitOf(name);
      if (sha) return sha;
    }
    return null;
  }

  /** Refs below `prefix` with the objects they point at. */
  async refs(prefix = 'refs/'): Promise<Map<string, string>> {
    const out = await this.text(['for-each-ref', '--format=%(objectname) %(refname)', prefix]);
    const lines = out.split('\n').filter((line) => line !== '');
    return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
  }

  /** Branches by full ref name. */
  heads(): Promise<Map<string, string>> {
    return this.refs(OWN_REFS);
  }

  async setRef(ref: string, sha: string): Promise<void> {
    await this.run(['update-ref', ref, sha]);
  }

  async deleteRef(ref: string): Promise<void> {
    await this.run(['update-ref', '-d', ref]);
  }

  /** Takes objects and refs from another repository on this machine, also from a shallow one. */
  async fetch(source: string, refspecs: readonly string[]): Promise<void> {
    await this.run(['fetch', '-q', '--no-tags', '--update-shallow', '--no-write-fetch-head', source, ...refspecs]);
  }

  async isAncestor(old: string, young: string): Promise<boolean> {
    const out = await this.text(['rev-list', '--count', '--max-count=1', old, `^${young}`], { expect: [0, 128] });
    return out.trim() === '0';
  }

  async count(range: readonly string[]): Promise<number> {
    return Number(await this.text(['rev-list', '--count', ...range]));
  }

  async ids(args: readonly string[]): Promise<string[]> {
    const out = await this.text(['rev-list', ...args]);
    return out.split('\n').filter((line) => line !== '');
  }

  /** Reads commits by id in one process, in the order of the ids. */
  async commits(ids: readonly string[]): Promise<CommitRecord[]> {
    if (ids.length === 0) return [];
    const format = '%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00%x01';
    const out = await this.text(['log', '--no-walk=unsorted', '--stdin', `--format=${format}`], { input: `${ids.join('\n')}\n` });
    return out
      .split('\0\x01\n')
      .filter((row) => row !== '')
      .map(readCommit);
  }

  async commit(sha: string): Promise<CommitRecord> {
    const [found] = await this.commits([sha]);
    if (!found) throw new Error(`no commit ${sha} in ${this.dir}`);
    return found;
  }
}

function readCommit(row: string): CommitRecord {
  const part = row.split('\0');
  const at = (index: number) => part[index] ?? '';
  const date = (index: number) => new Date(Number(at(index)) * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    sha: at(0),
    tree: at(1),
    parents: at(2).split(' ').filter(Boolean),
    author: { name: at(3), email: at(4), date: date(5) },
    committer: { name: at(6), email: at(7), date: date(8) },
    message: at(9).replace(/\n+$/, ''),
  };
}
