import type { ToolAllowance } from '../journal/entry.ts';
import { type OutlineLine, type OutlineTable, readOutline } from './outline.ts';
import { canonicalToolName, TOOL_NAMES } from './role.ts';

/** What instructions say about tools. `allow` null: they say nothing, all of the agent's tools stay. Names are present ones. */
export interface ToolTable {
  allow: ToolAllowance[] | null;
  prohibit: string[];
}

/**
 * The tool tables of a delegation's or an `agent.run` step's instructions, as published prompts write them: Allowed Tools (with Max Calls), a
 * column Allowed with Yes/No, a line `Allowed tools: a, b`, Prohibited Tools. Never from a code fence or a quote. A table can only narrow.
 * Must be given the text before templates are filled, and never a session's own instruction: there the tables are templates for delegations.
 */
export function readToolTable(instructions: string): ToolTable {
  const { lines, tables } = readOutline(instructions);
  const found = [...tables.map(readTable), ...lines.map(readLine)].filter((table) => table !== null);
  const lists = found.flatMap((table) => (table.allow ? [table.allow] : []));
  return {
    allow: lists.length > 0 ? mergeAllowances(lists.flat()) : null,
    prohibit: [...new Set(found.flatMap((table) => table.prohibit))],
  };
}

const DEFAULT_DELEGATIONS = 25;
const MOST_DELEGATIONS = 100;

/**
 * How many delegations a session may make: `param` (the step's `maxDelegations`), else `Max delegations: n` or `Total delegations = (number of X)
 * + k` in the coordinator's prompt, where `total_X:` stands in the output of the step before; else 25. What texts ask for is at most 100.
 */
export function maxDelegations(prompt: string, previousOutput: string, param?: number | null): number {
  if (param !== undefined && param !== null) return param;
  const fixed = /\bmax(?:imum)?\s+delegations?\W{0,4}[:=]\W{0,6}(\d+)/i.exec(prompt)?.[1];
  if (fixed) return Math.min(Number(fixed), MOST_DELEGATIONS);
  const sum = SUM.exec(prompt);
  const counted = sum ? countIn(previousOutput, sum[1] ?? sum[2] ?? '') : null;
  return counted === null ? DEFAULT_DELEGATIONS : Math.min(counted + Number(sum?.[3] ?? 0), MOST_DELEGATIONS);
}

const SUM =
  /\btotal\s+delegations?\W{0,4}=[\s*`]{0,4}(?:\(\s{0,4}number\s+of\s+([^)\n]{1,60})\)|number\s+of\s+([\w -]{1,60}?)(?=\s*(?:\+|[\n.,;]|$)))[\s*`]{0,4}(?:\+\s{0,4}(\d+))?/i;

function countIn(output: string, what: string): number | null {
  const name = what
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
  const counts = [...output.matchAll(/\btotal_(\w+)\W{0,4}:\W{0,4}(\d+)/gi)].filter((count) => count[1]?.toLowerCase() === name);
  return counts.length > 0 ? Number(counts.at(-1)?.[2]) : null;
}

function readTable(table: OutlineTable): ToolTable | null {
  const tool = table.header.findIndex((cell) => /^\W*(tools?|tool names?)\W*$/.test(cell));
  if (tool < 0) return null;
  const allowed = table.header.findIndex((cell) => /^\W*(allowed|permitted)\W*$/.test(cell));
  const calls = table.header.findIndex((cell) => /^\W*(max(imum)?\.? )?(calls|uses|limit)\W*$/.test(cell));
  const kind = kindOf(table.headings);
  const rows = table.rows.map((cells) => ({ names: namesIn(cells[tool] ?? ''), cells }));
  if (allowed >= 0) return readYesNo(rows, { allowed, calls });
  if (kind === 'prohibited') return { allow: null, prohibit: rows.flatMap((row) => row.names) };
  if (kind !== 'allowed' && calls < 0) return null;
  const allow = rows.flatMap(({ names, cells }) => names.map((name) => allowanceOf(name, cells, calls)));
  return allow.length > 0 ? { allow, prohibit: [] } : null;
}

interface Row {
  names: string[];
  cells: string[];
}

function readYesNo(rows: Row[], { allowed, calls }: { allowed: number; calls: number }): ToolTable {
  const isNo = ({ cells }: Row) => /^\W*(no|never|false|not)\b|^\W*[❌✗✘✖⛔🚫]/iu.test(cells[allowed] ?? '');
  const allow = rows.filter((row) => !isNo(row)).flatMap(({ names, cells }) => names.map((name) => allowanceOf(name, cells, calls)));
  return { allow: allow.length > 0 ? allow : null, prohibit: rows.filter(isNo).flatMap((row) => row.names) };
}

function allowanceOf(name: string, cells: string[], calls: number): ToolAllowance {
  const limit = (calls < 0 ? '' : (cells[calls] ?? '')).replace(/[*_`]/g, '').trim();
  const only = scratchpadIn(name, cells);
  return {
    name,
    ...(/^\d+$/.test(limit) ? { maxCalls: Number(limit) } : {}),
    ...(/^(1|one|once)\b.*\bper\b|^once (for )?each\b/i.test(limit) ? { perArgument: true } : {}),
    ...(only ? { only: { name: only } } : {}),
  };
}

/** The scratchpad that a cell like "ONLY for `review-chunk1`" binds a scratchpad tool to; several give a pattern. Unfilled templates bind nothing. */
function scratchpadIn(name: string, cells: string[]): string | null {
  if (!/_scratchpad$/.test(name)) return null;
  const bound = cells.map(
    (cell) =>
      /\bonly\s+(?:for|on|from|to|with|in)\s+(?:the\s+)?(?:scratchpads?\s+)?(`[^`]+`(?:\s*(?:,|and|or|,\s*and|\/)\s*`[^`]+`)*)/i.exec(
        cell,
      )?.[1],
  );
  const names = [...(bound.find((text) => text !== undefined) ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
  if (names.length === 0 || names.some((pad) => /[{}<>]/.test(pad))) return null;
  return names.length === 1 ? (names[0] ?? null) : `{${names.join(',')}}`;
}

function readLine({ text, headings }: OutlineLine): ToolTable | null {
  const plain = /^[\s\-*+•✅❌]*(allowed tools?|tools allowed|prohibited(?: tools?)?|tools prohibited)(?:\s*\([^)]*\))?\s*:(.+)$/iu.exec(
    text.replaceAll('**', ''),
  );
  if (plain) return readPlainList(plain[1] ?? '', plain[2] ?? '');
  const kind = kindOf(headings);
  if (headings.some((heading) => heading.includes('prohibited'))) {
    const prohibit = [...(text.includes('❌') ? bannedIn(text) : []), ...itemIn(text)];
    return prohibit.length > 0 ? { allow: null, prohibit } : null;
  }
  const item = kind === 'allowed' ? itemIn(text) : [];
  return item.length > 0 ? { allow: item.map((name) => ({ name })), prohibit: [] } : null;
}

function readPlainList(kind: string, list: string): ToolTable | null {
  const items = list.replace(/\([^()]*\)/g, '').split(/[,;]|\band\b/);
  const names = items
    .map((item) => item.replace(/[`*]/g, '').trim().replace(/\.$/, ''))
    .flatMap((item) => (isToolName(item) ? [canonicalToolName(item)] : []));
  if (/prohibited/i.test(kind)) return names.length > 0 ? { allow: null, prohibit: names } : null;
  const none = /^\W*none\W*$/i.test(list);
  return names.length > 0 || none ? { allow: names.map((name) => ({ name })), prohibit: [] } : null;
}

/** Names on a line with ❌ that a dash or the line's end follows: the others are part of an explanation. */
function bannedIn(line: string): string[] {
  const plain = line.replaceAll('*', '').trimEnd();
  const named = [...plain.matchAll(/`([\w-]+)`(?=\s{0,4}[—–-]|[.!]?$)|(?<![\w`])(\w+)(?=\s{1,4}[—–-]\s|[.!]?$)/gu)];
  return named.map((match) => match[1] ?? match[2] ?? '').flatMap((name) => (isToolName(name) ? [canonicalToolName(name)] : []));
}

/** The tool that a list item begins with, where a dash, a colon or the line's end follows. */
function itemIn(line: string): string[] {
  const name = /^\s*(?:[-*+•]|\d+[.)])\s+\**`?([\w-]+)`?\**\s*(?:[—–:-].*)?$/u.exec(line)?.[1];
  return name && isToolName(name) ? [canonicalToolName(name)] : [];
}

function kindOf(headings: string[]): 'allowed' | 'prohibited' | null {
  for (const heading of headings.toReversed()) {
    if (!/\btools?\b|^\W*(allowed|permitted|prohibited|forbidden)\W*$/.test(heading)) continue;
    if (/prohibited|forbidden|disallowed|not allowed/.test(heading)) return 'prohibited';
    if (/allowed|permitted/.test(heading)) return 'allowed';
  }
  return null;
}

function namesIn(cell: string): string[] {
  const quoted = [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
  const words = quoted.length > 0 ? quoted : cell.replace(/[*]/g, '').split(/[,/]|\bor\b|\band\b/);
  return words.map((word) => word.trim()).flatMap((word) => (isToolName(word) ? [canonicalToolName(word)] : []));
}

/** A name we know, or one that looks like a tool's (`mcp__x__y`, `some_tool`); not a word of prose like "all". */
function isToolName(word: string): boolean {
  return /^[a-z][\w-]*$/i.test(word) && (TOOL_NAMES.includes(canonicalToolName(word)) || word.includes('_'));
}

function mergeAllowances(rows: ToolAllowance[]): ToolAllowance[] {
  const merged = new Map<string, ToolAllowance>();
  for (const row of rows) merged.set(row.name, { ...row, ...strictest(merged.get(row.name), row) });
  return [...merged.values()];
}

function strictest(before: ToolAllowance | undefined, row: ToolAllowance): Partial<ToolAllowance> {
  if (!before) return {};
  const limits = [before.maxCalls, row.maxCalls].filter((limit) => limit !== undefined);
  return {
    ...(limits.length > 0 ? { maxCalls: Math.min(...limits) } : {}),
    ...(before.perArgument ? { perArgument: true } : {}),
    ...(before.only ? { only: before.only } : {}),
  };
}
