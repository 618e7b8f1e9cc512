import type { Call } from './call.ts';

/** Text that a prompt marks as data, with what it says that it is. */
interface DataBlock {
  of: string;
  text: string;
  turn: number;
}

const DATA = /<([\w-]+)-data of="([^"]*)">\n?([\s\S]*?)\n?<\/\1-data>/g;

/**
 * What the first message asks for: all of it but what it marks as data; the output of the step before, which is an order of work, is kept. Later
 * messages do not count, so that what is derived from it stays the same throughout a conversation.
 */
export function instructionOf(call: Call): string {
  const first = call.heard.filter(({ turn }) => turn === 0).map(({ text }) => text);
  const kept = first.join('\n\n').replace(DATA, (_, _tag, of: string, text: string) => (/\bprevious step\b/.test(of) ? text : ''));
  return kept.trim();
}

/** Comments of people that came after a message of the conversation, by the index of that message. */
export function commentsAfter(call: Call, turn: number): string[] {
  const blocks = call.heard.flatMap(({ text, turn }): DataBlock[] =>
    [...text.matchAll(DATA)].map(([, , of = '', inside = '']) => ({ of, text: inside, turn })),
  );
  return blocks
    .filter((block) => block.turn > turn && block.of.startsWith('comment '))
    .map(({ text }) => text.replace(/^by @[^\n]*\n+/, ''));
}

const REFUSAL = /\b(?:not|never|don't|cannot|can't)\b|❌|\bprohibited\b/i;

/** Whether the instruction wants a tool used: it is offered, and a sentence names it that is no prohibition. */
export function isTold(call: Call, tool: string): boolean {
  if (!call.offers(tool)) return false;
  const sentences = instructionOf(call).split(/\n|(?<=[.!?])\s/);
  return sentences.some((sentence) => new RegExp(`\\b${tool}\\b`).test(sentence) && !REFUSAL.test(sentence));
}

/** The scratchpads that an instruction says to read. */
export function padsToRead(text: string): string[] {
  const list = /scratchpads? to (?:read|process)\W*:\W*([^\n]+)/i.exec(text)?.[1];
  if (list) return list.match(/[\w][\w.-]*/g) ?? [];
  const named = /read_scratchpad`?[^\n]*?\bname\W+([\w.-]+)/.exec(text)?.[1] ?? /`([\w.-]+)` scratchpad/.exec(text)?.[1];
  return [named ?? 'review-findings'];
}

/** The scratchpad that an instruction says to append to. */
export function padToAppend(text: string): string {
  return /append_scratchpad`?[^\n]*?\bname\W+([\w.-]+)/i.exec(text)?.[1] ?? 'review-findings';
}

/** The files that a task is about, as our own plans write them; null where it names none. */
export function filesToRead(text: string): string[] | null {
  const list = [...text.matchAll(/\bFiles: (\[.*\])/g)].at(-1)?.[1];
  try {
    const value: unknown = list ? JSON.parse(list) : null;
    return Array.isArray(value) ? value.map(String) : null;
  } catch {
    return null;
  }
}

/** `key: value` in the output of an earlier step, the last one that is filled in. */
export function outputOf(text: string, key: string): string | null {
  const rows = [...text.matchAll(new RegExp(`^[ \\t]*${key}:[ \\t]*([^<\\n]*)$`, 'gm'))];
  return rows[0]?.[1]?.trim() ?? null;
}

/** Words that an instruction's templates may ask for. */
export type Values = Record<string, string | number>;

/**
 * The report that an instruction asks for, with its gaps filled: a line such as `"posted {count} comments"` after "return", and a block of
 * `key: <what>` lines. Null where it asks for none.
 */
export function fillReport(text: string, values: Values): string | null {
  const line = fillLine(text, values);
  const block = fillBlock(text, values);
  return line || block ? [line, block].filter(Boolean).join('\n') : null;
}

function fillLine(text: string, values: Values): string | null {
  const wanted = [...text.matchAll(/\b(?:return|answer|reply|respond)\b[^\n]*?:[\s"'`*]*["'`]([^\n]*\{[^\n"`]*|[^\n{"']{10,})["'`]/gi)].at(
    -1,
  )?.[1];
  if (!wanted) return null;
  const filled = wanted.replace(/\[threadId1[^\]]*\]/, `[${values.threads ?? ''}]`).replace(/\{(\w+)\}/g, (gap, name: string) => {
    return name in values ? String(values[name]) : gap;
  });
  return /\{\w+\}/.test(filled) ? null : filled.replace(/["'`]+$/, '');
}

/** The first block in which every line is `key: <gap>`; keys that are not known are left out. */
function fillBlock(text: string, values: Values): string | null {
  const block = [...text.matchAll(/```\w*\n((?:[ \t]*[\w-]+:[ \t]*\S[^\n]*\n)+)[ \t]*```/g)]
    .map(([, rows]) => rows ?? '')
    .find((rows) => rows.includes('<'));
  const rows = (block ?? '').split('\n').flatMap((row) => {
    const [, key, rest] = /^\s*([\w-]+):\s*(.*)$/.exec(row) ?? [];
    if (!key) return [];
    if (key in values) return [`${key}: ${values[key]}`];
    return rest?.startsWith('<') ? [] : [`${key}: ${rest}`];
  });
  return rows.length ? rows.join('\n') : null;
}
