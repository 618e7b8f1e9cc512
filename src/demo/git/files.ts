import type { BareRepository, Signature } from './bare.ts';

/** What becomes of one path in a commit: text or bytes, gone (null), a link, bytes with a mode, a file that moved, or a submodule. */
export type FileChange =
  | string
  | Buffer
  | null
  | { content: string | Buffer; mode?: '100644' | '100755' }
  | { symlink: string }
  | { from: string }
  | { submodule: string };

/** The changes of a commit by path. */
export type FileChanges = Record<string, FileChange>;

/** A commit to be made. `parent` null starts a new history; `seconds` is the date since 1970. */
export interface NewCommit {
  ref: string;
  parent: string | null;
  changes: FileChanges;
  message: string;
  author: Signature;
  seconds?: number;
  force?: boolean;
}

/** Commits through `git fast-import`: no work tree, any path, any mode, hundreds of files in one process. Resolves with the commit's id. */
export async function commitFiles(bare: BareRepository, commit: NewCommit): Promise<string> {
  const force = commit.force ? ['--force'] : [];
  await bare.run(['fast-import', '--quiet', '--date-format=raw', ...force], { input: writeStream(commit) });
  const sha = await bare.commitOf(commit.ref);
  if (!sha) throw new Error(`${commit.ref} is missing after its commit`);
  return sha;
}

function writeStream(commit: NewCommit): Buffer {
  const parts: Buffer[] = [];
  const line = (text: string) => parts.push(Buffer.from(`${text}\n`));
  const data = (content: string | Buffer) => {
    const bytes = Buffer.from(content);
    line(`data ${bytes.length}`);
    parts.push(bytes, Buffer.from('\n'));
  };
  const who = `${cleanName(commit.author.name)} <${commit.author.email}> ${commit.seconds ?? Math.floor(Date.now() / 1000)} +0000`;
  line(`commit ${commit.ref}`);
  line(`author ${who}`);
  line(`committer ${who}`);
  data(commit.message);
  if (commit.parent) line(`from ${commit.parent}`);
  for (const [path, change] of Object.entries(commit.changes)) writeChange(path, change, { line, data });
  return Buffer.concat(parts);
}

interface Stream {
  line(text: string): void;
  data(content: string | Buffer): void;
}

function writeChange(path: string, change: FileChange, out: Stream): void {
  const name = quotePath(path);
  if (change === null) out.line(`D ${name}`);
  else if (typeof change === 'string' || Buffer.isBuffer(change)) writeFile({ name, mode: '100644', content: change }, out);
  else if ('from' in change) out.line(`R ${quotePath(change.from)} ${name}`);
  else if ('submodule' in change) out.line(`M 160000 ${change.submodule} ${name}`);
  else if ('symlink' in change) writeFile({ name, mode: '120000', content: change.symlink }, out);
  else writeFile({ name, mode: change.mode ?? '100644', content: change.content }, out);
}

function writeFile(file: { name: string; mode: string; content: string | Buffer }, out: Stream): void {
  out.line(`M ${file.mode} inline ${file.name}`);
  out.data(file.content);
}

function quotePath(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

function cleanName(name: string): string {
  return name.replace(/[<>\n]/g, '') || 'unknown';
}
