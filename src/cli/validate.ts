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
  for (const path of paths.length > 0 ? paths : ['.']) {
    const found = await findTargets(path, io.cwd);
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
  const files = await readDirectory(path, cwd);
  const prefix = path === '.' ? '' : `${path.replace(/\/+$/, '')}/`;
  const inside = /(^|\/)\.overcut$/.test(path.replace(/\/+$/, '')) ? `${prefix.slice(0, -'.overcut/'.length)}` : prefix;
  const known = files.map((file) => `${prefix}${file}`.slice(inside.length));
  const targets = await targetsOfRepository(known, inside);
  if (targets.length > 0) return targets;
  const workflows = files.filter((file) => /(^|\/)workflow\.json$/.test(file));
  const folders = workflows.map((file): Target => {
    const prompts = promptsBeside(file, files);
    return { kind: 'workflow', path: `${prefix}${file}`, prompts: prefixed(prompts, prefix), agentIds: [] };
  });
  return folders.length > 0
    ? folders
    : `${path}: no workflow here; expected .overcut/workflow.json, .overcut/workflows/, or a folder with a workflow.json`;
}

async function targetsOfRepository(files: string[], prefix: string): Promise<Target[]> {
  const layout = layoutOf(files);
  const agentIds = Object.keys(layout.agents);
  return [
    ...layout.workflows.map(
      ({ path, prompts }): Target => ({ kind: 'workflow', path: prefix + path, prompts: prefixed(prompts, prefix), agentIds }),
    ),
    ...Object.values(layout.agents).map((path): Target => ({ kind: 'agent', path: prefix + path })),
    ...(layout.settings ? [{ kind: 'repository settings' as const, path: prefix + layout.settings }] : []),
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
  if (target.kind === 'settings') return parseSettings(text, path).problems;
  if (target.kind === 'repository settings') return parseRepositorySettings(text, path).problems;
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
