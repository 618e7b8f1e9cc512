import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Floor of every folder of src (spec: ARCHITECTURE.md). A file at the top stands under its own name. */
const FLOORS: Record<string, number> = {
  workflow: 0,
  journal: 1,
  demo: 1,
  store: 2,
  github: 2,
  agent: 2,
  workspace: 2,
  tools: 3,
  session: 4,
  run: 5,
  'app.ts': 6,
  'metrics.ts': 6,
  'worker.ts': 6,
  web: 6,
  cli: 6,
  'alone.ts': 7,
  'child.ts': 7,
  'cli.ts': 7,
  'main.ts': 7,
  'standstill.ts': 7,
  'config.ts': 7,
  'door.ts': 7,
  'wiring.ts': 7,
};

/** Which folders may import an outside package. A package that is not here may be imported nowhere. */
const DOORS: Record<string, string[]> = {
  zod: ['*'],
  pino: ['*'],
  'lru-cache': ['*'],
  'jsonc-parser': ['workflow'],
  yaml: ['workflow'],
  handlebars: ['workflow'],
  re2js: ['workflow'],
  hono: ['demo', 'web'],
  '@hono/node-server': ['demo', 'web'],
  ioredis: ['store'],
  bullmq: ['store'],
  probot: ['github'],
  '@octokit/rest': ['github'],
  '@anthropic-ai/sdk': ['agent'],
  '@vscode/ripgrep': ['workspace'],
  picomatch: ['workspace'],
  commander: ['cli', 'cli.ts'],
  '@clack/prompts': ['cli'],
};

interface Import {
  file: string;
  from: string;
}

function sources(dir = SRC): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = [
    ...text.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm),
  ];
  return found.map((m) => ({ file, from: m[1] ?? m[2] ?? m[3] ?? '' }));
}

const room = (file: string) => relative(SRC, file).split('/')[0] ?? '';
const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
const files = sources();
const imports = files.flatMap(importsOf);

describe('the house', () => {
  it('has a floor for every folder and file of src', () => {
    expect(files.map(room).filter((name) => FLOORS[name] === undefined)).toEqual([]);
  });

  it('imports go down only, never sideways', () => {
    const wrong = imports
      .filter(({ from }) => from.startsWith('.'))
      .filter(({ file, from }) => {
        const [here, there] = [room(file), room(resolve(dirname(file), from))];
        return here !== there && (FLOORS[here] ?? -1) <= (FLOORS[there] ?? 99) && !(FLOORS[here] === 7 && FLOORS[there] === 7);
      });
    expect(wrong.map(({ file, from }) => `${relative(SRC, file)} -> ${from}`)).toEqual([]);
  });

  it('every outside package has one door', () => {
    const wrong = imports
      .filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'))
      .filter(({ file, from }) => {
        const doors = DOORS[packageOf(from)];
        return !doors || !(doors.includes('*') || doors.includes(room(file)));
      });
    expect(wrong.map(({ file, from }) => `${relative(SRC, file)} -> ${from}`)).toEqual([]);
  });

  it('no file is over 300 lines, and imports name their ending', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 301);
    expect(long.map((file) => relative(SRC, file))).toEqual([]);
    expect(imports.filter(({ from }) => from.startsWith('.') && !from.endsWith('.ts')).map(({ from }) => from)).toEqual([]);
  });

  it('no function is over 60 lines', () => {
    const long = files.flatMap((file) => longFunctions(file).map((name) => `${relative(SRC, file)} ${name}`));
    expect(long).toEqual([]);
  });

  it('only config.ts reads the environment, and no folder is called utils, helpers, lib, common, core or shared', () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')));
    expect(readers.map((file) => relative(SRC, file)).filter((file) => file !== 'config.ts')).toEqual([]);
    expect(files.filter((file) => /\/(utils?|helpers?|lib|common|core|shared)(\/|\.ts$)/.test(relative(SRC, file)))).toEqual([]);
  });
});

/** Top-level functions and methods by indentation, which the formatter guarantees. */
function longFunctions(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, at) => {
    const start = /^( {0,2})(?:export )?(?:static )?(?:async )?(?:function\*? )?(#?\w+)[^;]*\{$/.exec(line);
    if (!start || /^\s*(?:export )?(?:const|interface|class|type|if|for|while|switch|return|try)\b/.test(line)) return [];
    const end = lines.findIndex((other, k) => k > at && other.startsWith(`${start[1]}}`));
    return end - at > 60 ? [`${start[2]} (${end - at} lines)`] : [];
  });
}
