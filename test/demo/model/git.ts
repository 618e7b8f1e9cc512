import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

type Files = Record<string, string | Buffer | null>;

/** `git diff` between two sets of files, made by real git; `after` holds changes only. */
export function gitDiff(before: Files, after: Files): string {
  const dir = mkdtempSync(join(tmpdir(), 'pitwall-diff-'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'core.autocrlf=false', ...args], {
      cwd: dir,
      encoding: 'utf8',
    });
  try {
    git('init', '-q');
    commit(dir, before, git);
    commit(dir, after, git);
    return git('diff', '-M', 'HEAD~1', 'HEAD');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function commit(dir: string, files: Files, git: (...args: string[]) => string): void {
  for (const [path, content] of Object.entries(files)) {
    if (content === null) {
      rmSync(join(dir, path));
      continue;
    }
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  git('add', '-A');
  git('commit', '-q', '--allow-empty', '-m', 'x');
}
