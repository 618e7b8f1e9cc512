import type { CallRequest } from '../agent/calls.ts';
import { canonicalToolName } from '../agent/role.ts';
import type { ToolAnswer } from '../agent/tool.ts';
import { readToolTable } from '../agent/tool-table.ts';
import type { Agent, DelegationEnd, DelegationStart, Entry, RunStart, ToolAllowance } from '../journal/entry.ts';
import { Pending, ToolError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { earlyEndIn, treeOf } from '../journal/view.ts';
import { SOON_MS } from '../store/expected.ts';
import { runOf } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import { parseArguments } from '../tools/arguments.ts';
import type { Deadline } from './deadline.ts';
import type { DelegateInput } from './delegate-tool.ts';
import { delegateTool } from './delegate-tool.ts';
import { bookDelegation } from './delegation-budget.ts';
import { commandsOf } from './mind.ts';
import type { Services } from './services.ts';

/** A coordinator's side of its delegations. */
export interface Desk {
  journal: Journal;
  start: RunStart;
  step: string;
  agents: Agent[];
  most: number;
  goal: string;
  modelKey: string | null;
  deadline: Deadline | null;
  /** How long a delegation may take at most; null for no limit. */
  delegationMinutes: number | null;
  /** Hears which delegations are still open before this waits for them; may tell them to end. */
  onOpen?(delegations: string[]): Promise<void>;
}

type Plan = { call: CallRequest; refusal: string } | { call: CallRequest; start: DelegationStart };

const EMPTY = { checkouts: [], changes: {} };

/**
 * Runs the delegations of one turn, together: queues those that were not queued yet, collects what has ended, throws `Pending` while one is open.
 * Every part may be repeated after a crash: a start is computed from the journal alone, and creating it again changes nothing.
 */
export async function delegateAll(services: Services, desk: Desk, calls: CallRequest[]): Promise<ToolAnswer[]> {
  const plans = await bookAll(services, desk, planAll(desk, calls));
  const open = plans.filter(
    (plan): plan is { call: CallRequest; start: DelegationStart } =>
      'start' in plan && !desk.journal.find('delegation.ended', plan.call.key),
  );
  const fresh = open.filter(({ call }) => !desk.journal.find('delegation.queued', call.key));
  await desk.journal.append(
    ...fresh.map(({ start }) => ({
      type: 'delegation.queued' as const,
      key: start.key,
      delegation: start.delegation,
      agent: start.agent.name,
      label: start.label,
    })),
  );
  await send(services, open);
  await collect(services, desk, open);
  return answersOf(services, desk, plans);
}

function planAll(desk: Desk, calls: CallRequest[]): Plan[] {
  let used = countQueued(desk);
  return calls.map((call) => {
    const plan = planDelegation(desk, call, used);
    if ('start' in plan && !desk.journal.find('delegation.queued', call.key)) used++;
    return plan;
  });
}

/** Books those that are new on the budgets that limit them; one that is refused there is not queued. */
async function bookAll(services: Services, { journal }: Desk, plans: Plan[]): Promise<Plan[]> {
  const booked: Plan[] = [];
  for (const plan of plans) {
    const isNew = 'start' in plan && !journal.find('delegation.queued', plan.call.key);
    const full = isNew ? await bookDelegation(services, plan.start) : null;
    booked.push(full === null ? plan : { call: plan.call, refusal: `Not delegated: ${full} is reached. Finish with what there is.` });
  }
  return booked;
}

function planDelegation(desk: Desk, call: CallRequest, used: number): Plan {
  const input = readInput(call);
  if ('refusal' in input) return { call, ...input };
  const agent = agentNamed(desk.agents, input.agentId);
  if (!agent)
    return {
      call,
      refusal: `There is no agent "${input.agentId}". Your agents: ${desk.agents.map((one) => `${one.name} (${one.id})`).join(', ')}.`,
    };
  if (used >= desk.most && !desk.journal.find('delegation.queued', call.key)) {
    return { call, refusal: `Not delegated: this session may have ${desk.most} delegations and all are used. Finish with what there is.` };
  }
  return { call, start: startOf(desk, { call, input, agent }) };
}

function readInput({ input }: CallRequest): DelegateInput | { refusal: string } {
  try {
    return parseArguments(delegateTool, input) as DelegateInput;
  } catch (error) {
    if (error instanceof ToolError) return { refusal: error.message };
    throw error;
  }
}

/** How many delegations this step has had before the call at hand. */
function countQueued({ journal, step }: Desk): number {
  return journal.entries.filter((entry) => entry.type === 'delegation.queued' && entry.key.startsWith(`step/${step}/`)).length;
}

function startOf(desk: Desk, { call, input, agent }: { call: CallRequest; input: DelegateInput; agent: Agent }): DelegationStart {
  const { start, journal } = desk;
  const table = readToolTable(input.instructions);
  const said = input.tools?.allow?.map((one) => ({ ...one, name: canonicalToolName(one.name) }) as ToolAllowance);
  const queued = journal.find('delegation.queued', call.key);
  const before = queued ? journal.entries.slice(0, journal.entries.indexOf(queued)) : journal.entries;
  const seconds = input.timeoutSeconds;
  const asked = journal.entries.find((entry) => entry.type === 'turn.answered' && call.key.startsWith(`${entry.key}/`))?.at ?? 0;
  const minutes = desk.delegationMinutes;
  const timeouts = [
    desk.deadline?.at,
    seconds === undefined ? undefined : asked + seconds * 1000,
    minutes === null ? undefined : asked + minutes * 60_000,
  ].filter((at) => at !== undefined);
  return {
    run: start.run,
    delegation: `${runOf(journal.id)}~${call.key.replace(/[^\w-]+/g, '.')}`,
    key: call.key,
    agent,
    label: firstLine(input.label ?? input.instructions),
    instructions: input.instructions,
    allow: narrow(said ?? null, table.allow),
    prohibit: [...(input.tools?.prohibit ?? []).map(canonicalToolName), ...table.prohibit],
    expect: input.expect ?? null,
    deadline: timeouts.length > 0 ? Math.min(...timeouts) : null,
    tree: treeOf(EMPTY, before),
    event: start.event,
    trust: start.trust,
    goal: desk.goal,
    modelKey: desk.modelKey,
    commands: commandsOf(start),
    ...(start.limits ? { limits: start.limits } : {}),
    ...(start.rules ? { rules: start.rules } : {}),
    ...partialOf(before),
  };
}

function partialOf(before: readonly Entry[]): Pick<DelegationStart, 'partial'> {
  const partial = earlyEndIn(before);
  return partial === null ? {} : { partial };
}

/** What both the call and the table in its instructions allow, each under the stricter limit. */
function narrow(said: ToolAllowance[] | null, table: ToolAllowance[] | null): ToolAllowance[] | null {
  if (!said || !table) return said ?? table;
  return said.flatMap((one) => {
    const row = table.find(({ name }) => name === one.name);
    if (!row) return [];
    const limits = [one.maxCalls, row.maxCalls].filter((limit) => limit !== undefined);
    return [
      {
        ...row,
        ...one,
        ...(limits.length > 0 ? { maxCalls: Math.min(...limits) } : {}),
        ...(one.only || row.only ? { only: { ...one.only, ...row.only } } : {}),
      },
    ];
  });
}

/** An agent by id or by name, without case. */
function agentNamed(agents: Agent[], wanted: string): Agent | null {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  return (
    agents.find((one) => one.id === wanted) ??
    agents.find((one) => plain(one.name) === plain(wanted)) ??
    agents.find((one) => plain(one.type) === plain(wanted)) ??
    null
  );
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').replace(/[#*`]/g, '').trim().slice(0, 80);
}

/** Journals that were seen created here; spares the repetition on every wake, not the one after a crash. */
const created = new WeakMap<Store, Set<string>>();

function createdIn(store: Store): Set<string> {
  const known = created.get(store) ?? new Set();
  created.set(store, known);
  return known;
}

async function send(services: Services, open: { start: DelegationStart }[]): Promise<void> {
  const sent = createdIn(services.store);
  const unsent = open.map(({ start }) => start).filter((start) => !sent.has(start.delegation));
  if (unsent.length === 0) return;
  const { expected, journals } = services.store;
  const woken = unsent.map((start) => ({ wake: 'delegation' as const, id: start.delegation }));
  await expected.expect(woken, (await services.store.now()) + SOON_MS);
  await Promise.all(unsent.map((start) => journals.create(start.delegation, { type: 'delegation.started', start })));
  const [first] = unsent;
  if (first)
    await services.store.batches.open(
      first.run,
      unsent.map((start) => start.delegation),
    );
  await services.store.queues.wakeDelegations(unsent.map((start) => start.delegation));
  for (const start of unsent) sent.add(start.delegation);
}

async function collect(
  services: Services,
  { journal, onOpen }: Desk,
  open: { call: CallRequest; start: DelegationStart }[],
): Promise<void> {
  if (open.length === 0) return;
  const last = await services.store.journals.lastOf(open.map(({ start }) => start.delegation));
  const ended = open.flatMap(({ call, start }, k) => {
    const entry = last[k];
    return entry?.type === 'delegation.ended'
      ? [{ type: 'delegation.ended' as const, key: call.key, delegation: start.delegation, end: entry.end }]
      : [];
  });
  await journal.append(...ended);
  for (const { delegation } of ended) createdIn(services.store).delete(delegation);
  const left = open.filter((_, k) => last[k]?.type !== 'delegation.ended').map(({ start }) => start.delegation);
  if (left.length === 0) return;
  await onOpen?.(left);
  throw new Pending(`${left.length} of ${open.length} delegations`);
}

async function answersOf(services: Services, { journal }: Desk, plans: Plan[]): Promise<ToolAnswer[]> {
  const ends = plans.flatMap((plan) => {
    const entry = journal.find('delegation.ended', plan.call.key);
    return entry && 'start' in plan ? [{ plan, end: entry.end }] : [];
  });
  const parts = ends.map(({ plan, end }) => ({ id: plan.call.key, changes: end.changes }));
  const [one] = ends;
  const first = one ? one.plan.start.tree : EMPTY;
  const merged = parts.some((part) => Object.keys(part.changes).length > 0)
    ? await services.workspace.merge(first, parts, services.store.blobs(runOf(journal.id)))
    : null;
  const lastKey = ends.at(-1)?.plan.call.key;
  return plans.map((plan): ToolAnswer => {
    if ('refusal' in plan) return { text: plan.refusal, error: true };
    const end = journal.find('delegation.ended', plan.call.key)?.end;
    if (!end) return { text: 'This delegation gave no answer.', error: true };
    const conflicts = (merged?.conflicts ?? []).filter((conflict) => conflict.ids.includes(plan.call.key)).map((conflict) => conflict.path);
    const changes = merged && plan.call.key === lastKey ? { changes: merged.changes } : {};
    return { ...answerOf(plan.start, end, conflicts), ...changes };
  });
}

function answerOf(start: DelegationStart, end: DelegationEnd, conflicts: string[]): ToolAnswer {
  const notes =
    conflicts.length > 0 ? `\n\nNot merged, because another delegation of this turn changed it differently: ${conflicts.join(', ')}.` : '';
  if (end.status === 'completed') return { text: `${end.result}${notes}` };
  return {
    text: `The delegation to ${start.agent.name} ${end.status === 'failed' ? 'failed' : `was ${end.status}`}: ${end.result}${notes}`,
    error: true,
  };
}
