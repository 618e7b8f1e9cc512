import { TOOLS_BY_NAME } from '../agent/role.ts';
import { parseAgentFile } from '../workflow/agent-file.ts';
import { layoutOf, promptsBeside } from '../workflow/layout.ts';
import { loadWorkflow } from '../workflow/load.ts';
import type { Problem } from '../workflow/problem.ts';
import { parseRepositorySettings, parseSettings } from '../workflow/settings-file.ts';
import { readDirectory, readTexts, statOf } from './files.ts';

/** Where a command writes and where it stands. `out` and `err` take whole texts with their line ends. */
export interface CommandIo {
  out(text: string): void;
  err(text: string): void;
  cwd: string;
}

const PLACES = 'expected .overcut/workflow.json, .overcut/workflows/, or a folder with a workflow.json';

/** One file to check. Paths are as people shall see them, relative to where the command stands. */
type Target =
  | { kind: 'workflow'; path: string; prompts: Record<string, string>; agentIds: string[] }
  | { kind: 'agent'; path: string }
  | { kind: 'repository settings'; path: string }
  | { kind: 'settings'; path: string };

/**
 * Checks workflows, agents and settings, and prints every mistake of every file. Without paths it takes the `.overcut` of
 * the folder it stands in; a folder may be a repository, its `.overcut`, a published workflow's, or one that holds such folders.
 * Answers the exit code: 0 good (warnings included), 1 mistakes, 2 nothing that could be checked.
 */
export async function validate(paths: string[], options: { format: 'text' | 'json' }, io: CommandIo): Promise<number> {
  const targets: Target[] = [];
  const refusals: string[] = [];
  const searches = paths.length > 0 ? paths.map((path) => findTargets(path, io.cwd)) : [findOwn(io.cwd)];
  for (const found of await Promise.all(searches)) {
    if (typeof found === 'string') refusals.push(found);
    else targets.push(...found);
  }
  if (refusals.length > 0) {
    io.err(refusals.map((text) => `${text}\n`).join(''));
    return 2;
  }
  const unique = [...new Map(targets.map((target) => [target.path, target])).values()];
  const problems = (await Promise.all(unique.map((target) => check(target, io.cwd)))).flat();
  const files = unique.map(({ path }) => path);
  io.out(options.format === 'json' ? asJson(files, problems) : asText(files, problems));
  return problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}

/** A problem on one line, as compilers write it. */
export function printProblem({ severity, file, line, column, path, message }: Problem): string {
  return `${file}:${line}:${column} ${path}: ${severity === 'warning' ? 'warning: ' : ''}${message}`;
}

async function findTargets(path: string, cwd: string): Promise<Target[] | string> {
  const kind = await statOf(path, cwd);
  if (kind === null) return `${path}: there is no such file or folder; give a workflow.json, its folder, or a repository`;
  if (kind === 'file') return targetsOfFile(path, cwd);
  const folder = path === '.' ? '' : `${path.replace(/\/+$/, '')}/`;
  const files = (await readDirectory(path, cwd)).map((file) => folder + file);
  const roots = [...new Set(files.flatMap((file) => /^(.*?)\.overcut\//.exec(file)?.[1] ?? []))];
  const loose = files.filter((file) => !/(^|\/)\.overcut\//.test(file) && /(^|\/)workflow\.json$/.test(file));
  const targets = [
    ...roots.flatMap((root) => targetsOfRepository(files, root)),
    ...loose.map((file): Target => ({ kind: 'workflow', path: file, prompts: promptsBeside(file, files), agentIds: [] })),
  ];
  return targets.length > 0 ? targets : `${path}: no workflow here; ${PLACES}`;
}

/** The `.overcut` of the folder that the command stands in, and nothing else there. */
async function findOwn(cwd: string): Promise<Target[] | string> {
  const files = (await readDirectory('.overcut', cwd)).map((file) => `.overcut/${file}`);
  const targets = targetsOfRepository(files, '');
  return targets.length > 0 ? targets : `no workflow in this folder; ${PLACES}; or name a file or a folder`;
}

function targetsOfRepository(all: string[], root: string): Target[] {
  const layout = layoutOf(all.filter((file) => file.startsWith(root)).map((file) => file.slice(root.length)));
  const agentIds = Object.keys(layout.agents);
  return [
    ...layout.workflows.map(
      ({ path, prompts }): Target => ({ kind: 'workflow', path: root + path, prompts: prefixed(prompts, root), agentIds }),
    ),
    ...Object.values(layout.agents).map((path): Target => ({ kind: 'agent', path: root + path })),
    ...(layout.settings ? [{ kind: 'repository settings' as const, path: root + layout.settings }] : []),
  ];
}

async function targetsOfFile(path: string, cwd: string): Promise<Target[] | string> {
  const [folder, name] = [path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '', path.slice(path.lastIndexOf('/') + 1)];
  if (name === 'settings.json') return [{ kind: /(^|\/)\.overcut\/$/.test(folder) ? 'repository settings' : 'settings', path }];
  if (name.endsWith('.md')) {
    return /(^|\/)agents\/$/.test(folder)
      ? [{ kind: 'agent', path }]
      : `${path}: a prompt is checked with its workflow; give the workflow.json beside it`;
  }
  if (!/\.jsonc?$/.test(name)) return `${path}: expected a .json file, an agent's .md file, or a folder`;
  const beside = (await readDirectory(folder || '.', cwd)).filter((file) => !file.includes('/'));
  const overcut = /^(.*?\.overcut\/)/.exec(folder)?.[1];
  const files = overcut ? (await readDirectory(overcut, cwd)).map((file) => `.overcut/${file}`) : [];
  return [
    { kind: 'workflow', path, prompts: prefixed(promptsBeside(name, beside), folder), agentIds: Object.keys(layoutOf(files).agents) },
  ];
}

async function check(target: Target, cwd: string): Promise<Problem[]> {
  const { path } = target;
  const [text = ''] = Object.values(await readTexts({ it: path }, cwd));
  if (target.kind === 'agent') return parseAgentFile({ path, text }).problems;
  if (target.kind === 'settings') return parseSettings(text, path, TOOLS_BY_NAME).problems;
  if (target.kind === 'repository settings') return parseRepositorySettings(text, path, TOOLS_BY_NAME).problems;
  return loadWorkflow({ path, text, prompts: await readTexts(target.prompts, cwd), agentIds: target.agentIds }).problems;
}

function prefixed(prompts: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(prompts).map(([id, path]) => [id, prefix + path]));
}

function asText(files: string[], problems: Problem[]): string {
  const { errors, warnings } = countOf(problems);
  const lines = problems.map(printProblem);
  const closing = `${plural(files.length, 'file')} checked: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
  return `${[...lines, closing].join('\n')}\n`;
}

function asJson(files: string[], problems: Problem[]): string {
  return `${JSON.stringify({ files, ...countOf(problems), problems }, null, 2)}\n`;
}

function countOf(problems: Problem[]): { errors: number; warnings: number } {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: problems.length - errors };
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
