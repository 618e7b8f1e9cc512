import { checkCall } from '../agent/allowance.ts';
import type { CallRequest, TurnTools } from '../agent/calls.ts';
import type { ToolSchema } from '../agent/model.ts';
import { canonicalToolName } from '../agent/role.ts';
import { toolSchemas } from '../agent/schema.ts';
import type { Tool, ToolAnswer } from '../agent/tool.ts';
import type { Agent, RunStart, ToolAllowance, Trust } from '../journal/entry.ts';
import { ToolError } from '../journal/errors.ts';
import type { Event } from '../journal/event.ts';
import type { DraftReviews } from '../journal/finding.ts';
import type { Journal } from '../journal/journal.ts';
import type { Tree } from '../journal/tree.ts';
import { treeOf } from '../journal/view.ts';
import { toolNamed } from '../tools/catalog.ts';
import type { ToolContext } from '../tools/context.ts';
import { toolsFor } from '../tools/permit.ts';
import { runTool } from '../tools/run-tool.ts';
import { commandsNamed } from '../workflow/command.ts';
import type { RunRules } from '../workflow/settings.ts';
import { whileOpen } from './fence.ts';
import { askReport, rulesOf, type Services } from './services.ts';

/** Who works, on what, and where it is recorded. */
export interface Subject {
  journal: Journal;
  run: string;
  event: Event;
  trust: Trust;
  agent: Agent;
  /** The workspace as it was before the first entry of this journal. */
  base: Tree;
  signal: AbortSignal;
  /** Why what the run has is partial, where a step before ended early. */
  partial?: string | undefined;
  /** Commands that a comment may begin with; none where absent. */
  commands?: string[];
  /** What settings allow the run; absent for the app's settings of today. */
  rules?: RunRules | undefined;
  /** Hears of `update_status` and the key of its call; absent where the agent has no such tool. */
  onStatus?(call: string, message: string): Promise<void>;
}

/** What an agent may call: its own tools cut by its instructions and by trust, and those that the runtime injects. */
export interface ToolRules {
  tools: string[];
  injected: string[];
  allow: ToolAllowance[] | null;
  prohibit: string[];
  /** A tool of the caller's own (delegation), run by `delegate`. */
  extra?: Tool<ToolContext>;
  delegate?(calls: CallRequest[]): Promise<ToolAnswer[]>;
}

/** Tools that every agent gets beside its own. */
export const SHARED_TOOLS = ['read_scratchpad', 'write_scratchpad', 'append_scratchpad', 'list_scratchpads', 'memory_read', 'memory_write'];
/** Tools that the agents of steps get besides, coordinators among them; sub-agents do not. */
export const STEP_TOOLS = ['update_status', 'task_completed'];

/** Gives an agent its hands: the tools it is shown, and how its calls are checked and run. */
export function equip(services: Services, subject: Subject, rules: ToolRules): { tools: TurnTools<ToolContext>; schemas: ToolSchema[] } {
  const denied = rulesOf(services, subject).deny.map(canonicalToolName);
  const names = namesFor([...rules.tools, ...rules.injected], subject.trust).filter(
    (name) => isOffered(name, rules) && !denied.includes(name),
  );
  const own = names.flatMap((name) => toolNamed(name) ?? []);
  const all = rules.extra && !denied.includes(rules.extra.name) ? [...own, rules.extra] : own;
  const find = (name: string) => all.find((tool) => tool.name === canonicalToolName(name)) ?? null;
  const policy = {
    tools: all.map((tool) => tool.name),
    allow: rules.allow,
    prohibit: rules.prohibit,
    denied,
    injected: rules.extra ? [...rules.injected, rules.extra.name] : rules.injected,
  };
  const tools: TurnTools<ToolContext> = {
    agent: subject.agent.name,
    find,
    names: all.map((tool) => tool.name),
    lacking: names.filter((name) => !toolNamed(name)),
    check: (used, call) => checkCall(policy, used, call),
    run: (tool, call) => (services.runTool ?? runTool)(tool, contextOf(services, subject, call), call.input),
    ...(rules.delegate ? { delegate: rules.delegate } : {}),
  };
  return { tools, schemas: toolSchemas(all) };
}

/** Commands that a comment of a run may begin with: those that its workflow names literally, before templates are filled; none in a run that is not trusted. */
export function commandsOf({ workflow, trust }: RunStart): string[] {
  if (trust !== 'trusted') return [];
  return commandsNamed(workflow.definition.steps.map(({ instruction }) => instruction ?? '').join('\n'));
}

/** The tools of agents as far as they are built and not denied, for those who delegate to them. */
export function withBuiltTools(agents: Agent[], { deny }: Pick<RunRules, 'deny'>): Agent[] {
  const denied = deny.map(canonicalToolName);
  return agents.map((agent) => ({ ...agent, tools: agent.tools.filter((name) => toolNamed(name) && !denied.includes(name)) }));
}

/** Delegations of one agent ask for the same again and again. */
const known = new Map<string, string[]>();
const MOST_KNOWN = 200;

function namesFor(wanted: string[], trust: Trust): string[] {
  const key = `${trust} ${wanted.join(' ')}`;
  const names = known.get(key) ?? toolsFor(wanted, trust);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, names);
  return names;
}

/** A table narrows an agent's own tools; injected ones are cut only by name. */
function isOffered(name: string, { allow, prohibit, injected }: ToolRules): boolean {
  if (prohibit.includes(name)) return false;
  return allow === null || injected.includes(name) || allow.some((one) => one.name === name);
}

function contextOf(services: Services, subject: Subject, call: CallRequest): ToolContext {
  const { journal, run, event, agent } = subject;
  const rules = rulesOf(services, subject);
  const key = `${journal.id}/${call.key}`;
  const blobs = services.store.blobs(run);
  const tree = treeOf(subject.base, journal.entries);
  const files = services.workspace.files(tree, blobs);
  return {
    run,
    key,
    agent: { id: agent.id, name: agent.name },
    event,
    trust: subject.trust,
    rules,
    signal: subject.signal,
    ...(subject.partial ? { partial: subject.partial } : {}),
    files,
    search: (query) => services.workspace.search(tree, blobs, { ...query, signal: subject.signal }),
    pads: services.store.pads(run),
    memory: services.store.memory(event.repository.id, agent.id),
    drafts: tellingDrafts(services, run),
    diff: () => diffOf(services, event),
    github: services.github.reader(event, rules),
    publish: (effect) =>
      services.github.perform({
        ...{ run, key, event, effect, rules, signal: subject.signal },
        kept: { commands: subject.commands ?? [] },
        mayStillAct: whileOpen(services.store, run, journal.id),
      }),
    async status(message) {
      if (!subject.onStatus) throw new ToolError('There is no status to update here: answer with text instead.');
      await subject.onStatus(call.key, message);
    },
  };
}

/** The run's draft review; what is added to it shows in the run's report. */
function tellingDrafts(services: Services, run: string): DraftReviews {
  const { drafts } = services.store;
  return {
    async add(...finding) {
      const added = await drafts.add(...finding);
      askReport(services, run);
      return added;
    },
    list: (id) => drafts.list(id),
    markPosted: (...posted) => drafts.markPosted(...posted),
  };
}

/** The change of the run's pull request at the event's head. */
export async function diffOf(services: Services, event: Event) {
  const { resource, repository } = event;
  if (resource.kind !== 'pr') throw new ToolError('This run is about no pull request, so there is no diff.');
  return services.workspace.diff(repository, { base: resource.base.sha, head: resource.head.sha, pull: resource.number });
}
