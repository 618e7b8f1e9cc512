/** A file that agents wrote, kept content-addressed in the store. `mode` is git's: 100644 or 100755. */
export interface Blob {
  digest: string;
  size: number;
  mode: '100644' | '100755';
  /** The file was not there before and has only been appended to: parallel delegations that did so are joined, not in conflict. */
  appended?: true;
}

/** What agents changed above the commits that were checked out: a path (relative to /workspace) to its new content, or null for deleted. */
export type Changes = Record<string, Blob | null>;

/** A repository checked out at `owner/repo/` of the workspace. */
export interface Checkout {
  repository: { id: number; fullName: string; cloneUrl: string };
  sha: string;
  branch: string;
  /** Folders that were checked out; empty for all. */
  sparse: string[];
  /** `git.clone` options that change which objects are there. */
  depth: number;
}

/** What an agent sees as /workspace: commits plus an overlay. Plain data, so any process can open it. */
export interface Tree {
  checkouts: Checkout[];
  changes: Changes;
}

/** The content of blobs, by digest (`sha256` in hex), for as long as the run is kept. */
export interface Blobs {
  put(content: Buffer): Promise<string>;
  get(digest: string): Promise<Buffer>;
}
