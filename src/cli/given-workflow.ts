import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Workflow } from '../workflow/definition.ts';
import { isWorkflowPath, layoutOf, promptsBeside } from '../workflow/layout.ts';
import { loadWorkflow } from '../workflow/load.ts';
import { UsageError } from './usage-error.ts';

/** A workflow file as it is committed for a trial: changes of `.overcut` (null deletes), and the command to comment where opening does not start it. */
export interface GivenWorkflow {
  files: Record<string, string | null>;
  command: string | null;
}

/** Reads a workflow file and the prompt files beside it. Throws `UsageError` where it cannot be read or has mistakes (all are named). */
export async function loadGiven(
  file: string,
  { option, agentIds }: { option: string; agentIds: readonly string[] },
): Promise<{ workflow: Workflow; text: string; prompts: Record<string, string> }> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`${file} cannot be read: give a workflow file with ${option}`);
  });
  const prompts = await readPrompts(dirname(resolve(file)));
  const { workflow, problems } = loadWorkflow({ path: file, text, prompts, agentIds });
  if (workflow) return { workflow, text, prompts };
  const errors = problems.filter(({ severity }) => severity === 'error');
  const lines = errors.map(({ line, column, path, message }) => `  ${file}:${line}:${column} ${path}: ${message}`);
  throw new UsageError(`${file} has ${errors.length} mistakes:\n${lines.join('\n')}`);
}

/**
 * Reads a workflow file and the prompt files beside it; it takes the place of the workflows among `configuration` (paths of `.overcut`). Throws
 * `UsageError` where it cannot be read, has mistakes (all are named), or cannot start on a pull request.
 */
export async function readGivenWorkflow(file: string, configuration: string[]): Promise<GivenWorkflow> {
  const agentIds = Object.keys(layoutOf(configuration).agents);
  const { workflow, text, prompts } = await loadGiven(file, { option: '--workflow', agentIds });
  const opening = workflow.triggers.some(({ event }) => event === 'pull_request_opened');
  const command = workflow.triggers.find(({ event, slashCommand }) => event === 'manual' && slashCommand)?.slashCommand?.command ?? null;
  if (!opening && !command)
    throw new UsageError(
      `${file} does not start on a pull request: give it the trigger pull_request_opened, or manual with a slashCommand`,
    );
  const used = Object.entries(prompts).filter(([id]) => workflow.steps.some((step) => step.id === id));
  const gone = configuration.filter(isWorkflowPath).map((path) => [path, null]);
  return {
    files: {
      ...Object.fromEntries(gone),
      ...Object.fromEntries(used.map(([id, prompt]) => [`.overcut/${id}.md`, prompt])),
      '.overcut/workflow.json': text,
    },
    command: opening ? null : command,
  };
}

async function readPrompts(folder: string): Promise<Record<string, string>> {
  const beside = Object.entries(
    promptsBeside(
      join(folder, 'workflow.json'),
      (await readdir(folder)).map((name) => join(folder, name)),
    ),
  );
  return Object.fromEntries(await Promise.all(beside.map(async ([id, path]) => [id, await readFile(path, 'utf8')] as const)));
}

/** Says whether a repository brings a workflow of its own. */
export function hasWorkflow(configuration: string[]): boolean {
  return configuration.some(isWorkflowPath);
}
