import type { ToolAllowance } from '../journal/entry.ts';
import { canonicalToolName } from './role.ts';

/** What one agent may call in one step or delegation. `injected` tools need no row in `allow`: only `prohibit` takes them away. */
export interface ToolPolicy {
  tools: readonly string[];
  allow: readonly ToolAllowance[] | null;
  prohibit: readonly string[];
  /** Tools that nobody may call here, by the setting `deny`. */
  denied?: readonly string[];
  injected: readonly string[];
}

/** A call as the model wrote it. */
export interface WantedCall {
  name: string;
  input: unknown;
}

/**
 * Whether a call may start. `used` are the calls that this function let through so far, of earlier turns and of this one: ask for the calls of a
 * turn in their order, adding each that is `ok`, before the first of them starts. The reason names the limit and is written for the model.
 */
export function checkCall(policy: ToolPolicy, used: readonly WantedCall[], call: WantedCall): { ok: true } | { ok: false; reason: string } {
  const name = canonicalToolName(call.name);
  const row = policy.allow?.find((allowance) => canonicalToolName(allowance.name) === name);
  const before = () => used.filter((other) => other.name === name || canonicalToolName(other.name) === name);
  const reason = refuseName(policy, name, row) ?? (row ? (refuseArguments(row, call) ?? refuseCount(row, before, call)) : null);
  return reason === null ? { ok: true } : { ok: false, reason };
}

function refuseName(policy: ToolPolicy, name: string, row: ToolAllowance | undefined): string | null {
  const names = (list: readonly string[]) => list.map(canonicalToolName);
  if (names(policy.denied ?? []).includes(name)) return `${name} may be called by nobody here (the setting deny). Go on without it.`;
  if (names(policy.prohibit).includes(name)) return `${name} is prohibited in this task. Go on without it.`;
  const injected = names(policy.injected).includes(name);
  const has = offered(policy);
  if (!injected && !names(policy.tools).includes(name)) return `there is no tool ${name} for you. You have: ${has.join(', ') || 'none'}.`;
  if (policy.allow && !injected && !row)
    return `${name} is not among the allowed tools of this task. You have: ${has.join(', ') || 'none'}.`;
  return null;
}

/** The tools that a policy leaves, in their order: what the model is to be offered. */
export function offered(policy: ToolPolicy): string[] {
  const names = (list: readonly string[]) => list.map(canonicalToolName);
  const injected = names(policy.injected);
  const allowed = policy.allow ? names(policy.allow.filter((row) => row.maxCalls !== 0).map((row) => row.name)) : null;
  const prohibited = names([...policy.prohibit, ...(policy.denied ?? [])]);
  const all = [...new Set([...names(policy.tools), ...injected])];
  return all.filter((name) => !prohibited.includes(name) && (!allowed || injected.includes(name) || allowed.includes(name)));
}

function refuseArguments(row: ToolAllowance, { name, input }: WantedCall): string | null {
  for (const [argument, bound] of Object.entries(row.only ?? {})) {
    const given = argumentOf(input, argument);
    const values = Array.isArray(given) ? given : [given];
    if (!values.every((value) => typeof value === 'string' && fits(bound, value))) {
      return `${name} is allowed only with ${argument} = ${bound} in this task.`;
    }
  }
  return null;
}

function refuseCount(row: ToolAllowance, callsBefore: () => WantedCall[], call: WantedCall): string | null {
  if (row.maxCalls === undefined && !row.perArgument) return null;
  const before = callsBefore();
  if (row.maxCalls !== undefined && before.length >= row.maxCalls) {
    return `the limit of ${row.name} is reached: ${row.maxCalls} ${row.maxCalls === 1 ? 'call' : 'calls'} in this task. Use what you have.`;
  }
  if (!row.perArgument) return null;
  const seen = new Set(before.flatMap(identitiesOf));
  if (!identitiesOf(call).every((identity) => seen.has(identity))) return null;
  return `the limit of ${row.name} is reached: once for the same arguments, and this call was made before. Use its answer.`;
}

const THREAD = 'add_pull_request_review_thread';

/** What makes two calls the same: path, side, line and body of a thread, else the path (or each of `paths`), else all arguments. */
function identitiesOf({ name, input }: WantedCall): string[] {
  if (canonicalToolName(name) === THREAD) {
    const part = (argument: string) => argumentOf(input, argument) ?? null;
    return [JSON.stringify([plainPath(part('path')), part('side') ?? 'RIGHT', part('line'), part('body')])];
  }
  const path = argumentOf(input, 'path') ?? argumentOf(input, 'paths');
  if (Array.isArray(path) && path.length > 0) return path.map((one) => JSON.stringify(plainPath(one)));
  return [JSON.stringify(typeof path === 'string' ? plainPath(path) : sorted(input))];
}

function plainPath(path: unknown): unknown {
  return typeof path === 'string'
    ? path
        .trim()
        .replace(/^(?:\.?\/)+/, '')
        .replace(/^workspace\//, '')
    : path;
}

function argumentOf(input: unknown, name: string): unknown {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, name) ? (input as Record<string, unknown>)[name] : undefined;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** A value against what it is bound to: exact, `*` for any characters, `{a,b}` for one of several. */
function fits(bound: string, value: string): boolean {
  const choices = /^\{(.+)\}$/.exec(bound)?.[1]?.split(',') ?? [bound];
  return choices.some((choice) => fitsPattern(choice.trim(), value));
}

function fitsPattern(pattern: string, value: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === value;
  const last = rest.pop() ?? '';
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= value.length - last.length;
}
