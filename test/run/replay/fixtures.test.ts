import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redactTape } from '../../../src/run/replay/redaction.ts';
import { replayTape } from '../../../src/run/replay/replay.ts';
import { readTape, writeTape } from '../../../src/run/replay/tape-file.ts';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures/runs');
const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.jsonl'));

/** What fails here would also fail for runs that are under way when this build takes them over: see docs/replay.md before they are recorded anew. */
describe.each(names)('the recorded run %s', (name) => {
  const tape = readTape(readFileSync(join(FIXTURES, name)));

  it('is decided by this build as it was by the one that recorded it', async () => {
    const replay = await replayTape(tape, { prompts: false });
    expect(replay.difference).toBeNull();
    expect(replay).toMatchObject({ missing: [], isWhole: true });
    expect([...replay.same.values()]).toEqual([...tape.journals.values()].map((entries) => entries.length));
  });

  it('is the same without its texts', async () => {
    const redacted = readTape(Buffer.from(writeTape(redactTape(tape), '0.0.0')));
    expect((await replayTape(redacted, { prompts: false })).difference).toBeNull();
    const text = JSON.stringify([...redacted.journals]);
    for (const entries of tape.journals.values()) {
      for (const entry of entries) if (entry.type === 'briefed') expect(text).not.toContain(JSON.stringify(entry.system));
    }
  });
});

it('there are recorded runs', () => {
  expect(names).toEqual(expect.arrayContaining(['small-review.jsonl', 'talk.jsonl']));
});
