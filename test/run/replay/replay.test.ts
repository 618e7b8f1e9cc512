import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../../src/journal/entry.ts';
import { replayTape } from '../../../src/run/replay/replay.ts';
import type { Tape } from '../../../src/run/replay/tape.ts';
import { House } from '../../session/house.ts';
import { playTalk, playTogether, recordOf } from './recorded.ts';

let house: House;
let together: Tape;
let talk: Tape;
beforeAll(async () => {
  house = await House.open();
  together = await recordOf(house, await playTogether(house));
  talk = await recordOf(house, await playTalk(house));
});
afterAll(() => house.close());

const strict = { prompts: true };

function change(tape: Tape, journal: string, edit: (entries: Entry[]) => Entry[]): Tape {
  const journals = new Map(tape.journals);
  journals.set(journal, edit(structuredClone(journals.get(journal) ?? [])));
  return { ...tape, journals };
}

describe('a replay', () => {
  it.each([
    ['a session with two delegations, and a step after it', () => together, 3],
    ['a session that heard comments and was ended by one', () => talk, 1],
  ])('derives every entry again of %s', async (_, tape, journals) => {
    const replay = await replayTape(tape(), strict);
    expect(replay.difference).toBeNull();
    expect(replay).toMatchObject({ missing: [], isWhole: true });
    expect([...replay.same.values()]).toEqual([...tape().journals.values()].map((entries) => entries.length));
    expect(replay.same.size).toBe(journals);
  });

  it('has nothing against a run that had not ended, wherever it stood (what was heard is written in one step)', async () => {
    for (const tape of [together, talk]) {
      const all = tape.journals.get(tape.run) ?? [];
      for (let length = 1; length < all.length; length++) {
        if (all[length]?.type === 'comment.heard') continue;
        const replay = await replayTape(
          change(tape, tape.run, (entries) => entries.slice(0, length)),
          strict,
        );
        expect(replay.difference, `${length} entries, before ${JSON.stringify(all[length])}`).toBeNull();
        expect(replay.same.get(tape.run)).toBe(length);
      }
    }
  });

  it('stops at an entry that was left out', async () => {
    for (const tape of [together, talk]) {
      const all = tape.journals.get(tape.run) ?? [];
      for (let left = 1; left < all.length - 1; left++) {
        const { difference } = await replayTape(
          change(tape, tape.run, (entries) => entries.toSpliced(left, 1)),
          strict,
        );
        expect(difference, `without ${JSON.stringify(all[left])}`).not.toBeNull();
        expect(difference?.entry, JSON.stringify(all[left])).toBeLessThanOrEqual(left + 2);
      }
    }
  });

  it('names every entry whose decision was changed, and the part of it', async () => {
    const edits: Partial<Record<Entry['type'], (entry: never) => unknown>> = {
      'run.state': (entry: { reason: string }) => (entry.reason += 'x'),
      'run.ended': (entry: { message: string }) => (entry.message += 'x'),
      'step.ended': (entry: { output: unknown }) => (entry.output = { message: 'x' }),
      'call.started': (entry: { agent: string }) => (entry.agent += 'x'),
      'delegation.queued': (entry: { label: string }) => (entry.label += 'x'),
      'delegation.ended': (entry: { end: { result: string } }) => (entry.end.result += 'x'),
      status: (entry: { message: string }) => (entry.message += 'x'),
      briefed: (entry: { messages: string[] }) => entry.messages.push('x'),
    };
    let changed = 0;
    for (const tape of [together, talk]) {
      for (const [id, entries] of tape.journals) {
        for (const [at, { type }] of entries.entries()) {
          const edit = edits[type];
          if (!edit) continue;
          changed++;
          const { difference } = await replayTape(
            change(tape, id, (all) => {
              edit(all[at] as never);
              return all;
            }),
            strict,
          );
          const inRun = type === 'delegation.ended' && id !== tape.run ? [tape.run, id] : [id];
          expect(inRun, `${type} ${at + 1}`).toContain(difference?.journal);
          if (difference?.journal === id)
            expect(difference, type).toMatchObject({ entry: at + 1, field: { path: expect.any(String) as string } });
        }
      }
    }
    expect(changed).toBeGreaterThan(25);
  });

  it('shows where another answer of the model would have led', async () => {
    const tape = change(together, together.run, (entries) => {
      const answer = entries.find((entry) => entry.type === 'turn.answered' && entry.key === 'step/s/turn/1');
      const call = answer?.type === 'turn.answered' ? answer.answer.content.find((block) => block.type === 'tool_use') : undefined;
      if (call?.type === 'tool_use') call.input = { agentId: 'nobody', instructions: 'x' };
      return entries;
    });
    const { difference } = await replayTape(tape, { prompts: false });
    expect(difference).toMatchObject({
      place: { step: 's', turn: 1, call: 0 },
      recorded: 'delegation to Agent a: worker 1 (step "s", turn 1, call 0)',
    });
  });
});
