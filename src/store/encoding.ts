import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { Entry } from '../journal/entry.ts';

/**
 * Changes when journals written by one build cannot be read by another. It is part of the queues' names, so an older build never takes a newer run, and
 * stands at each journal's first entry, so that it is not touched by another way either.
 */
export const JOURNAL_FORMAT = 1;

const LARGE = 4_096;
/** Entries that say the same in many runs of a workflow: its instructions, its agents, its prompts. */
const ALIKE = new Set(['run.started', 'delegation.started', 'briefed']);
/** Where they say it: instructions and prompts, and the task (`messages[1]`) of a briefing; not the event, which is a run's own. */
const ALIKE_IN = new Set(['instruction', 'instructions', 'guidance', 'system', '1']);
const WORTH_SHARING = 512;
/** What the digests of texts that all runs share begin with. */
export const SHARED = 'shared/';
const WORTH_DEFLATING = 256;
/** Half of a character, which a model can write into JSON; UTF-8 has no form for it, the escapes of JSON have. */
const LONE_SURROGATE = /\p{Surrogate}/u;
/** A reference as it stands in JSON. Where there is none, an entry is read and written without a look at each of its texts. */
const WRITTEN_REFERENCE = '\\u0000blob:';
const REFERENCE = '\u0000blob:';

/** Hex SHA-256 of some content, the name it is kept under. */
export function digestOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Compresses where it pays; the first byte says whether it did. */
export function pack(content: Buffer): Buffer {
  const isWorth = content.length >= WORTH_DEFLATING;
  const kept = isWorth ? deflateRawSync(content, { level: 3 }) : content;
  const packed = Buffer.allocUnsafe(kept.length + 1);
  packed[0] = isWorth ? 1 : 0;
  kept.copy(packed, 1);
  return packed;
}

/** Takes back what `pack` did. */
export function unpack(packed: Buffer): Buffer {
  return packed[0] === 1 ? inflateRawSync(packed.subarray(1)) : packed.subarray(1);
}

/** An entry as it is written: its long texts stand beside the stream, once per content, under their digest; behind `SHARED` those that all runs share. */
export function encodeEntry(entry: object): { body: Buffer; blobs: Map<string, Buffer> } {
  const blobs = new Map<string, Buffer>();
  const hasAlike = 'type' in entry && ALIKE.has(String(entry.type));
  const plain = hasAlike ? null : JSON.stringify(entry);
  if (plain !== null && plain.length <= LARGE && !plain.includes(WRITTEN_REFERENCE)) return { body: pack(Buffer.from(plain)), blobs };
  const json = JSON.stringify(entry, (name, value: unknown) => {
    if (typeof value !== 'string') return value;
    const isAlike = hasAlike && ALIKE_IN.has(name);
    if (value.length <= (isAlike ? WORTH_SHARING : LARGE) || LONE_SURROGATE.test(value))
      return value.startsWith(REFERENCE) ? `${REFERENCE}${REFERENCE}${value}` : value;
    const { digest, packed } = isAlike ? packedTexts.memo(value) : packText(value);
    blobs.set(isAlike ? SHARED + digest : digest, packed);
    return REFERENCE + digest;
  });
  return { body: pack(Buffer.from(json)), blobs };
}

/** Texts that were packed lately, by their length (characters); the same ones come with every run of a workflow. */
const packedTexts = new LRUCache<string, { digest: string; packed: Buffer }>({
  max: 200,
  maxSize: 16 * 1024 * 1024,
  sizeCalculation: (_, text) => Math.max(1, text.length),
  memoMethod: packText,
});

function packText(text: string): { digest: string; packed: Buffer } {
  const content = Buffer.from(text);
  return { digest: digestOf(content), packed: pack(content) };
}

/** The digests that a written entry refers to. */
export function referencesIn(body: Buffer): string[] {
  const text = unpack(body).toString();
  if (!text.includes(WRITTEN_REFERENCE)) return [];
  return [...text.matchAll(/"\\u0000blob:([0-9a-f]{64})"/g)].map((match) => match[1] ?? '');
}

/** Reads a written entry back; `blobs` holds the texts it refers to. */
export function decodeEntry(body: Buffer, at: number, blobs: Map<string, string>): Entry {
  const json = unpack(body).toString();
  if (!json.includes(WRITTEN_REFERENCE)) return { ...(JSON.parse(json) as Entry), at };
  const entry = JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(REFERENCE)) return value;
    if (value.startsWith(REFERENCE + REFERENCE)) return value.slice(2 * REFERENCE.length);
    const text = blobs.get(value.slice(REFERENCE.length));
    if (text === undefined) throw new Error('a text of this journal is gone from Redis: was it flushed or did it expire?');
    return text;
  });
  return { ...entry, at };
}
