import type { Clock } from '../../journal/clock.ts';
import { ToolError } from '../../journal/errors.ts';
import type { DraftReviews, Finding } from '../../journal/finding.ts';
import type { Blobs } from '../../journal/tree.ts';
import { LIMIT_BYTES, TOO_MUCH } from '../blobs.ts';
import { HEIGHT } from '../drafts.ts';
import { digestOf } from '../encoding.ts';
import { type Memory, MOST as MOST_TITLES } from '../memory.ts';
import type { Scratchpads } from '../scratchpads.ts';
import { type AtOnce, copyOf, getOr } from './way.ts';

/** The files of one run in this process' memory. */
export function blobs(): AtOnce<Blobs> {
  const kept = new Map<string, Buffer>();
  let bytes = 0;
  return {
    put(content) {
      const digest = digestOf(content);
      if (kept.has(digest)) return digest;
      if (bytes + content.length > LIMIT_BYTES) throw new ToolError(TOO_MUCH);
      bytes += content.length;
      kept.set(digest, Buffer.from(content));
      return digest;
    },
    get(digest) {
      const content = kept.get(digest);
      if (!content) throw new Error(`the content ${digest.slice(0, 12)} of this run is not kept here`);
      return Buffer.from(content);
    },
  };
}

/** The scratchpads of one run in this process' memory. */
export function scratchpads(): AtOnce<Scratchpads> {
  const pads = new Map<string, string>();
  const calls = new Set<string>();
  const once = (key: string, write: () => void) => {
    if (!calls.has(key)) write();
    calls.add(key);
  };
  return {
    read: (name) => pads.get(name) ?? null,
    write: (name, text, key) => once(key, () => void pads.set(name, text)),
    append: (name, text, key) =>
      once(key, () => {
        const old = pads.get(name) ?? '';
        pads.set(name, `${old}${old === '' || old.endsWith('\n') ? '' : '\n'}${text}`);
      }),
    list: () => [...pads].map(([name, text]) => ({ name, size: text.length })).sort((a, b) => a.name.localeCompare(b.name)),
  };
}

/** What an agent remembers of a repository, in this process' memory; `calls` are those that have written. */
export function memory(clock: Clock, calls: Set<string>): AtOnce<Memory> {
  const rows = new Map<string, { title: string; content: string; at: number }>();
  const all = () => [...rows.values()].reverse().sort((a, b) => b.at - a.at);
  return {
    read(title) {
      const row = rows.get(title.trim().toLowerCase());
      return row ? [{ title: row.title, content: row.content }] : [];
    },
    write(title, content, key) {
      if (calls.has(key)) return;
      calls.add(key);
      const name = title.trim();
      rows.delete(name.toLowerCase());
      rows.set(name.toLowerCase(), { title: name, content, at: clock.now() });
      for (const old of all().slice(MOST_TITLES)) rows.delete(old.title.toLowerCase());
    },
    all: () => copyOf(all()),
  };
}

/** Draft reviews in this process' memory. */
export function drafts(): AtOnce<DraftReviews> {
  const kept = new Map<string, { findings: Map<string, Finding>; moved: Map<string, string> }>();
  const draftOf = (run: string) => getOr(kept, run, () => ({ findings: new Map<string, Finding>(), moved: new Map<string, string>() }));
  return {
    add(run, finding) {
      const { findings, moved } = draftOf(run);
      const known = findings.get(moved.get(finding.id) ?? finding.id);
      if (known) return copyOf(known);
      const height = HEIGHT[finding.rung];
      for (const twin of findings.values()) {
        if (twin.path !== finding.path || twin.body !== finding.body) continue;
        const lower = HEIGHT[twin.rung] < height && !twin.posted;
        if (lower) findings.set(twin.id, copyOf({ ...finding, id: twin.id }));
        if (!lower && HEIGHT[twin.rung] <= height) continue;
        moved.set(finding.id, twin.id);
        return copyOf(findings.get(twin.id) ?? twin);
      }
      findings.set(finding.id, copyOf(finding));
      return copyOf(finding);
    },
    list: (run) => copyOf([...draftOf(run).findings.values()]),
    markPosted(run, id, posted) {
      const finding = draftOf(run).findings.get(id);
      if (finding) finding.posted = copyOf(posted);
    },
  };
}
