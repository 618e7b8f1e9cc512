import type { Diff } from '../../src/journal/diff.ts';
import type { Effect, Outcome } from '../../src/journal/effect.ts';
import type { Trust } from '../../src/journal/entry.ts';
import { ToolError } from '../../src/journal/errors.ts';
import type { Event } from '../../src/journal/event.ts';
import type { DraftReviews, Finding } from '../../src/journal/finding.ts';
import type { Repository, Resource } from '../../src/journal/resource.ts';
import { toolNamed } from '../../src/tools/catalog.ts';
import type { GitHubReading, Memory, Scratchpads, ToolContext } from '../../src/tools/context.ts';
import { runTool } from '../../src/tools/run-tool.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';

export const REPOSITORY: Repository = {
  id: 7,
  fullName: 'acme/shop',
  owner: 'acme',
  name: 'shop',
  defaultBranch: 'main',
  private: false,
  cloneUrl: 'https://github.example/acme/shop.git',
};
const PULL: Resource = {
  kind: 'pr',
  repository: REPOSITORY,
  number: 5,
  url: 'https://github.example/acme/shop/pull/5',
  head: { ref: 'feature', sha: 'b'.repeat(40), fullName: 'acme/shop', fork: false },
  base: { ref: 'main', sha: 'a'.repeat(40) },
};
export const ISSUE: Resource = { kind: 'issue', repository: REPOSITORY, number: 9, url: 'https://github.example/acme/shop/issues/9' };
export const BRANCH: Resource = { kind: 'branch', repository: REPOSITORY, branch: 'main' };

export function eventOn(resource: Resource): Event {
  const ana = { id: 1, login: 'ana', bot: false };
  return {
    name: 'pull_request_opened',
    delivery: 'd',
    installation: 1,
    repository: REPOSITORY,
    resource,
    actor: ana,
    author: ana,
    context: {} as Event['context'],
  };
}

/** What a context is made of where a test does not bring its own. */
export interface Given extends Partial<ToolContext> {
  change?: Diff;
  resource?: Resource;
  answer?: (effect: Effect) => Outcome;
}

/** A context whose effects and status messages can be read back; anything that was not given fails when it is used. */
export function makeContext(given: Given = {}): ToolContext & { effects: Effect[]; statuses: string[] } {
  const { change, resource = PULL, answer = () => ({ status: 'done', result: { ok: true } }), ...own } = given;
  const effects: Effect[] = [];
  const statuses: string[] = [];
  const never = () => {
    throw new Error('this test gave none');
  };
  return {
    run: 'run1',
    key: 'call1',
    agent: { id: 'a1', name: 'Reviewer' },
    event: eventOn(resource),
    trust: 'trusted' satisfies Trust,
    rules: defaultSettings(),
    signal: new AbortController().signal,
    files: new Proxy({} as ToolContext['files'], { get: never }),
    search: never,
    pads: memoryPads(),
    memory: new Proxy({} as Memory, { get: never }),
    drafts: memoryDrafts(),
    diff: async () => {
      if (!change) throw new ToolError('This run is about no pull request.');
      return change;
    },
    github: new Proxy({} as GitHubReading, { get: never }),
    publish: async (effect) => {
      effects.push(effect);
      return answer(effect);
    },
    status: async (message) => void statuses.push(message),
    ...own,
    effects,
    statuses,
  };
}

/** Runs a tool by its name as an agent's call, and answers its text. */
export async function call(context: ToolContext, name: string, input: unknown = {}): Promise<string> {
  const tool = toolNamed(name);
  if (!tool) throw new Error(`no tool ${name}`);
  return (await runTool(tool, context, input)).text;
}

/** The message of the `ToolError` that a call ends with. */
export async function fault(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`it worked: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ToolError) return error.message;
  throw error;
}

function memoryPads(): Scratchpads {
  const pads = new Map<string, string>();
  return {
    read: async (name) => pads.get(name) ?? null,
    write: async (name, text) => void pads.set(name, text),
    append: async (name, text) => void pads.set(name, `${pads.get(name) ?? ''}${text}`),
    list: async () => [...pads].map(([name, text]) => ({ name, size: text.length })),
  };
}

function memoryDrafts(): DraftReviews {
  const all = new Map<string, Finding>();
  return {
    async add(_run, finding) {
      const known = all.get(finding.id) ?? finding;
      all.set(finding.id, known);
      return known;
    },
    list: async () => [...all.values()],
    async markPosted(_run, id, posted) {
      const known = all.get(id);
      if (known) all.set(id, { ...known, posted });
    },
  };
}
