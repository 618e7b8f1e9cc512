import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A local repository for `try`, in a folder of its own. */
export class LocalRepository {
  readonly dir = mkdtempSync(join(tmpdir(), 'pitwall-local-'));

  constructor() {
    this.git('init', '-q', '-b', 'main');
    for (const [key, value] of [
      ['user.name', 'Ann'],
      ['user.email', 'ann@example.test'],
      ['core.autocrlf', 'false'],
    ] as const)
      this.git('config', key, value);
  }

  git(...args: string[]): string {
    return execFileSync('git', ['-C', this.dir, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  write(files: Record<string, string | Buffer | null>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.dir, path);
      mkdirSync(dirname(file), { recursive: true });
      if (content === null) rmSync(file);
      else writeFileSync(file, content);
    }
  }

  commit(message: string): string {
    this.git('add', '-A');
    this.git('commit', '-q', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }

  move(from: string, to: string): void {
    mkdirSync(dirname(join(this.dir, to)), { recursive: true });
    renameSync(join(this.dir, from), join(this.dir, to));
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const long = (name: string, count: number) => Array.from({ length: count }, (_, at) => `export const ${name}${at} = ${at};`);

/** Renames, deletions, binaries, CRLF, a mode change, spaces, quotes and other scripts in names, no newline at the end; mistakes in most of them. */
export function fillAwkward(repository: LocalRepository): { base: string; head: string } {
  const moved = long('moved', 40);
  repository.write({
    'src/old place/moved.ts': `${moved.join('\n')}\n`,
    'src/windows.ts': 'export function f(a: string) {\r\n  if (!a) throw new Error("a");\r\n  return a;\r\n}\r\n',
    'src/gone.ts': `${long('gone', 10).join('\n')}\n`,
    'src/kept.ts': `${long('kept', 60).join('\n')}\n`,
    'src/größe "q".ts': 'export const a = 1;\n',
    'run.sh': 'echo hello\n',
    'logo.png': Buffer.from([137, 80, 78, 71, 0, 1]),
  });
  const base = repository.commit('Begin');
  repository.git('checkout', '-q', '-b', 'awkward');
  repository.move('src/old place/moved.ts', 'src/new place/moved file.ts');
  moved[20] = 'export const n = parseInt(process.argv[2]);';
  repository.write({
    'src/new place/moved file.ts': `${moved.join('\n')}\n`,
    'src/windows.ts': 'export function f(a: string) {\r\n  return eval(a);\r\n}\r\n',
    'src/gone.ts': null,
    'src/kept.ts': `${['debugger;', ...long('kept', 60).slice(1, -1), 'export const last = first / list.length'].join('\n')}`,
    'src/größe "q".ts': 'export const a = 1;\nexport const same = a == b;\n',
    'src/empty catch.ts': 'try {\n  start();\n} catch {}\n',
    'logo.png': Buffer.from([137, 80, 78, 71, 0, 2, 3]),
    'new.bin': Buffer.from([0, 1, 2, 3]),
  });
  chmodSync(join(repository.dir, 'run.sh'), 0o755);
  return { base, head: repository.commit('Change everything') };
}
