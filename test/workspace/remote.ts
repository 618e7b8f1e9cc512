import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Blobs } from '../../src/journal/tree.ts';
import { Workspace, type WorkspaceOptions } from '../../src/workspace/workspace.ts';

export type FileContent = string | Buffer | { mode: '100644' | '100755' | '120000' | '160000'; content: string | Buffer } | null;

const ENV = {
  PATH: '/usr/bin:/bin:/usr/local/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C',
};

/** A real bare repository on disk that plays the server. */
export class Remote {
  readonly dir: string;
  readonly repository: { id: number; fullName: string; cloneUrl: string; defaultBranch: string };

  constructor(root: string, { id = 1, fullName = 'acme/app' } = {}) {
    this.dir = join(root, 'server', `${fullName}.git`);
    mkdirSync(this.dir, { recursive: true });
    this.git('init', '-q', '--bare', '-b', 'main', '.');
    this.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    this.repository = { id, fullName, cloneUrl: this.dir, defaultBranch: 'main' };
  }

  git(...args: string[]): string {
    return this.bytes(...args)
      .toString()
      .trim();
  }

  bytes(...args: string[]): Buffer {
    return execFileSync('git', args, { cwd: this.dir, env: ENV, maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** One commit through fast-import: any path, any mode, null deletes. Answers its id. */
  commit(ref: string, files: Record<string, FileContent>, { from }: { from?: string } = {}): string {
    const parts: (string | Buffer)[] = [`commit ${ref}\ncommitter a <a@example.com> ${1_700_000_000} +0000\ndata 1\nx\n`];
    const parent = from ?? (this.has(ref) ? this.git('rev-parse', ref) : null);
    if (parent) parts.push(`from ${parent}\n`);
    for (const [path, file] of Object.entries(files)) {
      const name = /["\n\\]/.test(path) || path.startsWith('"') ? `"${path.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"` : path;
      if (file === null) parts.push(`D ${name}\n`);
      else {
        const { mode, content } = typeof file === 'string' || Buffer.isBuffer(file) ? { mode: '100644', content: file } : file;
        const bytes = Buffer.from(content);
        parts.push(mode === '160000' ? `M 160000 ${bytes.toString()} ${name}\n` : `M ${mode} inline ${name}\ndata ${bytes.length}\n`);
        if (mode !== '160000') parts.push(bytes, '\n');
      }
    }
    const input = Buffer.concat(parts.map((part) => Buffer.from(part)));
    execFileSync('git', ['fast-import', '--quiet', '--force', '--date-format=raw'], { cwd: this.dir, env: ENV, input });
    return this.git('rev-parse', ref);
  }

  has(ref: string): boolean {
    try {
      this.git('rev-parse', '--verify', '--quiet', ref);
      return true;
    } catch {
      return false;
    }
  }
}

/** Blobs as the store keeps them, in memory. */
export function memoryBlobs(): Blobs & { kept: Map<string, Buffer> } {
  const kept = new Map<string, Buffer>();
  return {
    kept,
    put: async (content) => {
      const digest = createHash('sha256').update(content).digest('hex');
      kept.set(digest, Buffer.from(content));
      return digest;
    },
    get: async (digest) => {
      const content = kept.get(digest);
      if (!content) throw new Error(`no blob ${digest}`);
      return content;
    },
  };
}

/** A directory of its own, with what removes it. */
export function scratch(): { root: string; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), 'pitwall-workspace-'));
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** A workspace that may fetch from local directories. */
export function openWorkspace(root: string, options: Partial<WorkspaceOptions> = {}): Workspace {
  return new Workspace({
    dataDir: join(root, 'data'),
    apiUrl: 'https://api.github.com',
    allowFiles: true,
    credentials: async ({ cloneUrl }) => ({ url: cloneUrl, token: null }),
    ...options,
  });
}
