import { createHash } from 'node:crypto';
import type { Block } from '../../journal/answer.ts';
import type { Entry } from '../../journal/entry.ts';
import type { Tape } from './tape.ts';

/** The calls whose texts decide how a run goes on. */
const DECIDING = new Set(['delegate_to_sub_agent', 'task_completed', 'update_status', 'write_scratchpad', 'append_scratchpad']);
const SHORT = 64;

/**
 * A record without transcripts: what prompts said, what models thought, what tools were given and answered, and the guidance are taken out, each with a digest
 * in its place. What stays is what decides: events, workflow, answers of delegations, comments. It can be replayed, but prompts cannot be compared.
 */
export function redactTape(tape: Tape): Tape {
  const journals = new Map([...tape.journals].map(([id, entries]) => [id, entries.map(redactEntry)]));
  return { ...tape, journals, blobs: tape.blobs, redacted: true };
}

function redactEntry(entry: Entry): Entry {
  switch (entry.type) {
    case 'run.started':
      return { ...entry, start: { ...entry.start, guidance: redact(entry.start.guidance) } };
    case 'briefed':
      return { ...entry, system: redact(entry.system), messages: entry.messages.map(redact) };
    case 'turn.answered': {
      const { request: _, ...kept } = entry;
      return { ...kept, answer: { ...entry.answer, content: entry.answer.content.map(redactBlock) } };
    }
    case 'call.ended':
      if (DECIDING.has(entry.name)) return entry;
      return { ...entry, result: { ...entry.result, text: redact(entry.result.text) } };
    default:
      return entry;
  }
}

function redactBlock(block: Block): Block {
  if (block.type === 'thinking') return { ...block, thinking: redact(block.thinking) };
  if (block.type === 'redacted_thinking') return { ...block, data: redact(block.data) };
  if (block.type !== 'tool_use' || DECIDING.has(block.name)) return block;
  return { ...block, input: redactValue(block.input) };
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redactValue(inner)]));
}

/** The same text gives the same word, so that calls with the same arguments stay the same. */
function redact(text: string): string {
  if (text.length <= SHORT) return text;
  return `[taken out: ${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)}]`;
}
