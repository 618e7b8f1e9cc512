import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../src/config.ts';
import { pitwall } from './cli/terminal.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const tracked = execFileSync('git', ['-C', ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));
const documents = tracked.filter((path) => path.endsWith('.md') && !path.startsWith('examples/repository/') && !path.startsWith('test/'));
const GUIDES = ['README.md', 'ARCHITECTURE.md', 'AGENTS.md', 'CONTRIBUTING.md', 'SECURITY.md', 'THREAT-MODEL.md'];

/** What stands between backticks in the prose of a document; fenced blocks aside. */
function quoted(path: string): string[] {
  const prose = read(path).replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text ?? '');
}

/** Commands of fenced shell blocks and of backticks that begin with this word. */
function commands(path: string, word: string): string[] {
  const fences = [...read(path).matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, body]) => (body ?? '').split('\n'));
  const parts = [...fences, ...quoted(path)].flatMap((line) => line.replace(/\s+#.*$/, '').split('&&'));
  return parts.map((part) => part.trim().replace(/^npx /, '')).filter((part) => part.startsWith(`${word} `));
}

describe.each(documents)('%s', (path) => {
  it('links to files that are there', () => {
    const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => (target ?? '').replace(/#.*$/, ''));
    const local = links.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([]);
  });

  it('names files and folders that are there', () => {
    const places = ['', 'src', dirname(path)].map((folder) => join(ROOT, folder));
    const names = quoted(path).filter(
      (text) =>
        /^[\w.][\w./-]*$/.test(text) && /^(?:src|test|docs|examples|bench|\.ci|\.github)\/|^[\w./-]+\/[\w-]+\.ts$|\.test\.ts$/.test(text),
    );
    expect(names.filter((name) => !places.some((place) => existsSync(join(place, name))))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('has the floors that the architecture test holds the code to', () => {
    const rules = read('test/architecture.test.ts').match(/FLOORS[^{]*\{([\s\S]*?)\n\}/)?.[1] ?? '';
    const held = [...rules.matchAll(/^\s*'?([\w.]+)'?: (\d)/gm)].map(([, name, floor]) => [name ?? '', Number(floor)] as const);
    const there = new Set(readdirSync(join(ROOT, 'src')));
    const rows = [...read('ARCHITECTURE.md').matchAll(/^\| (\d) \| (.*?) \|/gm)];
    const told = rows.flatMap(([, floor, names]) =>
      [...(names ?? '').matchAll(/`([\w.]+?)\/?`/g)].map(([, name]) => [name ?? '', Number(floor)] as const),
    );
    expect(held.length).toBeGreaterThan(10);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(held.filter(([name]) => there.has(name))));
  });
});

it('AGENTS.md can be read in one go', () => {
  expect(read('AGENTS.md').split('\n').length).toBeLessThan(60);
});

describe('commands', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);

  it.each(GUIDES)('%s: every npm script and every script file is there', (path) => {
    const named = commands(path, 'npm').flatMap((line) => /^npm (?:run )?([\w:-]+)/.exec(line)?.[1] ?? []);
    expect(named.filter((name) => !['ci', ...scripts].includes(name))).toEqual([]);
    const files = commands(path, 'node').flatMap((line) => /^node (\S+\.m?js)/.exec(line)?.[1] ?? []);
    expect(files.filter((file) => !file.startsWith('dist/') && !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it.each(GUIDES)('%s: every command of pitwall and its options are in the help', async (path) => {
    const help = (await pitwall(['--help'])).out;
    for (const line of commands(path, 'pitwall')) {
      const words = line.split(/\s+/).slice(1);
      const name = words[0]?.startsWith('-') ? null : words[0];
      if (name) expect(help, line).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
      const page = name ? (await pitwall([name, '--help'])).out : help;
      for (const [option] of line.matchAll(/(?<=\s)--[a-z][a-z-]*/g)) expect(page, line).toContain(option);
    }
  });

  it('README names every command', async () => {
    const names = [...(await pitwall(['--help'])).out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name ?? '');
    const missing = names.filter((name) => name !== 'help' && !read('README.md').includes(`\`pitwall ${name}`));
    expect(missing).toEqual([]);
  });
});

describe('the environment', () => {
  const config = read('src/config.ts');
  const shape = /const Variables = z\.object\(\{([\s\S]*?)\n\}\);/.exec(config)?.[1] ?? '';
  const known = [...shape.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name ?? '');
  const fromFiles = [...(/const FROM_FILES = \[(.*?)\]/s.exec(config)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, name]) => `${name}_FILE`);
  const beside = [...config.matchAll(/\benvironment\.([A-Z_]+)/g)].map(([, name]) => name ?? '');
  const table = /^\| variable[\s\S]*?\n\n/m.exec(read('README.md'))?.[0] ?? '';
  const told = [...table.matchAll(/`([A-Z][A-Z_]{2,})`/g)].map(([, name]) => name ?? '');

  it('README names what config.ts reads, and nothing else', () => {
    expect(known.length).toBeGreaterThan(10);
    expect([...known, ...beside].filter((name) => name !== 'PATH' && !told.includes(name))).toEqual([]);
    expect(told.filter((name) => ![...known, ...fromFiles, ...beside].includes(name))).toEqual([]);
  });

  it('README’s defaults are those of config.ts', () => {
    const found = readConfig({ APP_ID: '1', PRIVATE_KEY: 'PRIVATE KEY', WEBHOOK_SECRET: 'x'.repeat(16), ANTHROPIC_API_KEY: 'x' });
    for (const value of [found.redis.prefix, found.redis.lockMs, found.port, found.logLevel])
      expect(table).toMatch(new RegExp(`\\(\`?${value}\\b`));
  });

  it('docker-compose.yml sets variables that are read, and gives Redis the settings of README', () => {
    const { services } = parse(read('docker-compose.yml')) as {
      services: { redis: { command: string[] }; pitwall: { environment: Record<string, string>; env_file: string } };
    };
    expect(Object.keys(services.pitwall.environment).filter((name) => !known.includes(name))).toEqual([]);
    const { PITWALL_REDIS_URL = '', PORT = '' } = services.pitwall.environment;
    const secrets = { APP_ID: '1', PRIVATE_KEY: 'PRIVATE KEY', WEBHOOK_SECRET: 'x'.repeat(16), ANTHROPIC_API_KEY: 'x' };
    expect(readConfig({ ...secrets, ...services.pitwall.environment })).toMatchObject({
      redis: { url: PITWALL_REDIS_URL },
      port: Number(PORT),
    });
    expect(new URL(PITWALL_REDIS_URL).hostname in services).toBe(true);
    const settings = ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'];
    const flags = (text: string) => settings.filter((setting) => text.includes(setting));
    expect(flags(services.redis.command.join(' '))).toEqual(settings);
    expect(flags(read('src/store/child-redis.ts').replace(/[',\s]+/g, ' '))).toEqual(settings);
    for (const setting of settings) expect(read('README.md')).toContain(setting.slice(2));
  });

  it('Dockerfile copies files that are there, runs without root, and says that it is untried', () => {
    const text = read('Dockerfile').replace(/\\\n/g, ' ');
    const copied = [...text.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, words]) => (words ?? '').split(' ').slice(0, -1));
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect([...text.matchAll(/^USER (\w+)$/gm)].map(([, user]) => user)).toEqual(['node']);
    for (const path of ['Dockerfile', 'docker-compose.yml', 'README.md']) expect(read(path).toLowerCase(), path).toContain('untried');
    const set = [...text.matchAll(/^ENV (.+)$/gm)].flatMap(([, row]) =>
      [...(row ?? '').matchAll(/([A-Z_]+)=/g)].map(([, name]) => name ?? ''),
    );
    expect(set.filter((name) => ![...known, 'NODE_ENV'].includes(name))).toEqual([]);
  });
});

it('the CI workflow runs what README says, with a token that can only read', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as {
    permissions: Record<string, string>;
    jobs: { test: { strategy: { matrix: { node: number[] } }; steps: { run?: string }[] } };
  };
  expect(workflow.permissions).toEqual({ contents: 'read' });
  expect(workflow.jobs.test.strategy.matrix.node).toEqual([20, 24]);
  expect(workflow.jobs.test.steps.flatMap(({ run }) => run ?? []).join('\n')).toContain('npm ci && npm run check && npm test');
});

describe.each([
  ['README.md', /^## Promises\n([\s\S]*?)^## /m, 12],
  ['THREAT-MODEL.md', /^([\s\S]*)$/, 20],
])('%s', (path, part, least) => {
  const text = part.exec(read(path))?.[1] ?? '';
  const rows = [...text.matchAll(/^\| (?!promise|threat|---)(.+) \| (.+?) \|$/gm)].map(([, row, proof]) => ({ row, proof: proof ?? '' }));

  it('names in each row of promises or threats a test that is there', () => {
    expect(rows.length).toBeGreaterThanOrEqual(least);
    const wrong = rows.filter(({ proof }) => {
      const proofs = [...proof.matchAll(/`(test\/[\w./-]+)`: "([^"]+)"/g)];
      return (
        proofs.length === 0 || proofs.some(([, file = '', title = '']) => !existsSync(join(ROOT, file)) || !read(file).includes(title))
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe('tracked files', () => {
  const texts = tracked
    .filter((path) => !/\.(?:png|jpg|ico)$/.test(path) && path !== 'test/docs.test.ts')
    .map((path) => ({ path, text: read(path) }));

  it.each([
    ['a folder of the machine it was written on', /(?<![\w./-])\/(?:work|farm)\/\w|\/home\/[a-z]\w*\/|\/Users\/[a-z]\w*\//],
    ['the host of a package registry', /registry\.(?:npmjs|yarnpkg)\.\w+|npm\.pkg\.github\.com|"resolved":\s*"https?:/],
  ])('none names %s', (_, pattern) => {
    expect(texts.filter(({ text }) => pattern.test(text)).map(({ path, text }) => `${path}: ${pattern.exec(text)?.[0]}`)).toEqual([]);
  });

  it('the top level holds what belongs there', () => {
    const top = [...new Set(tracked.map((path) => path.split('/')[0] ?? ''))].filter((name) => !name.startsWith('.'));
    const places = ['src', 'test', 'docs', 'examples', 'bench', 'app.yml', 'LICENSE', 'Dockerfile', 'docker-compose.yml'];
    expect(top.filter((name) => !places.includes(name) && !/^(?:[A-Z_-]+\.md|[\w-]+(?:\.\w+)*\.(?:json|config\.ts))$/.test(name))).toEqual(
      [],
    );
  });
});
