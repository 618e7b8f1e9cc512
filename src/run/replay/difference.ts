import type { Draft, Entry } from '../../journal/entry.ts';

/** Where a replay first went another way than the record. */
export interface Difference {
  /** The run's id, or a delegation's. */
  journal: string;
  /** Number of the entry in its journal, from 1; one past the last where the record had ended. */
  entry: number;
  place: Place;
  /** In words; null where the record had ended. */
  recorded: string | null;
  derived: string;
  /** The first part of the entry that is not the same, where both are the same kind of entry at the same place. */
  field: { path: string; recorded: string; derived: string } | null;
}

/** A place in the code, as keys of entries name it. */
export interface Place {
  step?: string;
  turn?: number;
  call?: number;
}

/** The kind and place of an entry: two entries with the same identity are the same decision, however it went. */
export function identityOf(entry: Draft | Entry): string {
  if ('key' in entry) return `${entry.type} ${entry.key}`;
  if (entry.type === 'step.state') return `${entry.type} ${entry.step} ${entry.state}`;
  if (entry.type === 'run.state') return `${entry.type} ${entry.state}`;
  return 'step' in entry ? `${entry.type} ${entry.step}` : entry.type;
}

/** Where an entry belongs, as far as it says so. */
export function placeOf(entry: Draft | Entry): Place {
  if ('key' in entry) return placeOfKey(entry.key);
  return 'step' in entry ? { step: entry.step } : {};
}

/** Where something belongs by its key. */
export function placeOfKey(key: string): Place {
  const step = /^step\/([^/]+)/.exec(key)?.[1];
  const turn = /\/turn\/(\d+)/.exec(key)?.[1];
  const call = /\/call\/(\d+)/.exec(key)?.[1];
  return { ...(step ? { step } : {}), ...(turn ? { turn: Number(turn) } : {}), ...(call ? { call: Number(call) } : {}) };
}

/** What of an entry is compared. `prompts`: also the words that agents are told, which another build may have changed. */
export interface Strictness {
  prompts: boolean;
}

const TIMES = new Set(['at', 'ms']);
const PROMPTS: Record<string, Set<string>> = {
  briefed: new Set(['system', 'messages', 'tools']),
  'turn.answered': new Set(['request']),
};

/** The first part in which a derived entry is not as recorded; null where they are the same. */
export function compareEntries(recorded: Entry, derived: Draft, { prompts }: Strictness): Difference['field'] {
  const left = (entry: object) =>
    Object.fromEntries(Object.entries(entry).filter(([name]) => !TIMES.has(name) && (prompts || !PROMPTS[recorded.type]?.has(name))));
  return compareParts(left(recorded), JSON.parse(JSON.stringify(left(derived))));
}

/** The first part in which two plain values are not the same; what one lacks and the other has empty is: another build may know more. `path`: where they stand in a larger one. */
export function compareParts(recorded: unknown, derived: unknown, path = ''): Difference['field'] {
  if (Object.is(recorded, derived) || (isEmpty(recorded) && isEmpty(derived) && (recorded === undefined || derived === undefined)))
    return null;
  if (!isContainer(recorded) || !isContainer(derived) || Array.isArray(recorded) !== Array.isArray(derived))
    return { path, ...shortPair(textOf(recorded), textOf(derived)) };
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(derived)])];
  for (const name of names) {
    const found = compareParts(recorded[name], derived[name], path === '' ? name : `${path}.${name}`);
    if (found) return found;
  }
  return null;
}

function isEmpty(value: unknown): boolean {
  if (isContainer(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === '';
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
}

const SHOWN = 160;
const BEFORE = 40;

/** Both texts around the first character that is not the same. */
function shortPair(recorded: string, derived: string): { recorded: string; derived: string } {
  if (recorded.length <= SHOWN && derived.length <= SHOWN) return { recorded, derived };
  let at = 0;
  while (at < recorded.length && recorded[at] === derived[at]) at++;
  const from = Math.max(0, at - BEFORE);
  const cut = (text: string) => `${from > 0 ? '…' : ''}${text.slice(from, from + SHOWN)}${text.length > from + SHOWN ? '…' : ''}`;
  return { recorded: cut(recorded), derived: cut(derived) };
}

/** An entry in words, for people. */
export function describeEntry(entry: Draft | Entry): string {
  const what = wordsOf(entry);
  const place = describePlace(placeOf(entry));
  return place === '' ? what : `${what} (${place})`;
}

/** A place in words for people; empty where nothing is known of it. */
export function describePlace({ step, turn, call }: Place): string {
  const parts = [
    step === undefined ? '' : `step "${step}"`,
    turn === undefined ? '' : `turn ${turn}`,
    call === undefined ? '' : `call ${call}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function wordsOf(entry: Draft | Entry): string {
  switch (entry.type) {
    case 'run.state':
      return `the run is ${entry.state}${because(entry.reason)}`;
    case 'run.ended':
      return `the run ends ${entry.state}${because(entry.reason)}`;
    case 'step.started':
      return 'the step starts';
    case 'step.state':
      return `the step is ${entry.state}`;
    case 'step.ended':
      return `the step ends ${entry.state}${because(entry.reason)}`;
    case 'checkout':
      return `${entry.checkout.repository.fullName} is checked out at ${entry.checkout.sha.slice(0, 12)}`;
    case 'briefed':
      return 'the agent is told its task';
    case 'turn.answered':
      return `the model answers${callsIn(entry)}`;
    case 'call.started':
    case 'call.ended':
      return `${entry.name} ${entry.type === 'call.started' ? 'starts' : 'ends'}`;
    case 'model.away':
      return `the model is away: ${entry.message}`;
    case 'delegation.queued':
      return `delegation to ${entry.agent}: ${entry.label}`;
    case 'delegation.ended':
      return `the delegation is ${entry.end.status}`;
    case 'comment.heard':
      return `comment ${entry.comment} of @${entry.author} is heard`;
    case 'status':
      return `status: ${entry.message}`;
    case 'noted':
      return entry.key.includes('/trouble/') ? `it fails: ${String(entry.value)}` : `noted: ${entry.key.split('/').at(-1)}`;
    default:
      return entry.type;
  }
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}

function callsIn({ answer }: { answer: { content: { type: string; name?: string }[] } }): string {
  const names = answer.content.flatMap((block) => (block.type === 'tool_use' && block.name ? [block.name] : []));
  return names.length > 0 ? ` with ${names.join(', ')}` : ' with text';
}
