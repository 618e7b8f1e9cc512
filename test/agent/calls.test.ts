import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CallRequest, runCalls } from '../../src/agent/calls.ts';
import type { ToolAnswer } from '../../src/agent/tool.ts';
import { Pending, ToolError } from '../../src/journal/errors.ts';
import { lackingTools } from '../../src/journal/view.ts';
import { Journals } from '../../src/store/journals.ts';
import { RedisStreams } from '../../src/store/streams.ts';
import { gate } from '../gate.ts';
import { ownPlace } from '../store/place.ts';
import { COMPLETED, hands, makeTool, openJournal } from './talk.ts';

const { redis, keys } = ownPlace('calls');
const journals = () => new Journals(new RedisStreams(redis, keys));

function asked(...names: (string | [string, unknown])[]): CallRequest[] {
  return names.map((one, index) => {
    const [name, input] = typeof one === 'string' ? [one, {}] : one;
    return { key: `t/turn/0/call/${index}`, id: randomUUID(), name, input };
  });
}

const turn = (calls: CallRequest[]) => ({ calls, used: [] as { name: string; input: unknown }[], onlyNames: null });

describe('the calls of one turn', () => {
  it('for a tool that is not built are told so, and noted once', async () => {
    const id = randomUUID();
    const tools = hands([COMPLETED], { lacking: ['run_terminal_cmd'] });
    for (const round of [1, 2]) {
      const journal = await openJournal(journals(), id);
      const { results } = await runCalls(journal, tools, turn(asked('terminal_command', 'nonsense')));
      expect(results.map(({ text, error }) => [error, text.slice(0, 47)])).toEqual([
        [true, 'terminal_command is not built in this release o'],
        [true, 'There is no tool "nonsense" here. You have: tas'],
      ]);
      expect([round, lackingTools(journal.entries)]).toEqual([round, ['run_terminal_cmd']]);
      expect(journal.entries.map(({ type }) => type)).toEqual(['noted', 'noted']);
    }
  });

  it('run reads together, then writes in their order, then delegations together, then task_completed, and answer in the order of the calls', async () => {
    const log: string[] = [];
    const bothRead = gate();
    let reading = 0;
    const read = makeTool('read', 'none', async () => {
      log.push('read begins');
      if (++reading === 2) bothRead.open();
      await bothRead.opened;
      return { text: 'read' };
    });
    const write = makeTool('write', 'workspace', async (input) => {
      log.push(`write ${String(input)} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`write ${String(input)} ends`);
      return { text: `wrote ${String(input)}` };
    });
    const done = makeTool('task_completed', 'none', () => {
      log.push('completed');
      return { text: 'the end' };
    });
    const delegate = makeTool('delegate_to_sub_agent', 'none', () => {
      throw new Error('never run by itself');
    });
    const tools = hands([read, write, done, delegate], {
      delegate: async (calls) => {
        log.push(`delegations ${calls.map((call) => call.input).join()}`);
        return calls.map((call) => ({ text: `did ${String(call.input)}` }));
      },
    });
    const journal = await openJournal(journals());
    const calls = asked(
      'task_completed',
      ['delegate_to_sub_agent', 'a'],
      ['write', 1],
      'read',
      ['delegate_to_sub_agent', 'b'],
      ['write', 2],
      'read',
    );
    const { results, completed } = await runCalls(journal, tools, turn(calls));
    expect(log).toEqual([
      'read begins',
      'read begins',
      'write 1 begins',
      'write 1 ends',
      'write 2 begins',
      'write 2 ends',
      'delegations a,b',
      'completed',
    ]);
    expect(results.map((one) => one.text)).toEqual(['the end', 'did a', 'wrote 1', 'read', 'did b', 'wrote 2', 'read']);
    expect(results.map((one) => one.id)).toEqual(calls.map((call) => call.id));
    expect(completed).toBe('the end');
  });

  it('give a result, not an error, for an unknown tool, broken JSON, a refused call and a ToolError', async () => {
    const picky = makeTool('picky', 'none', () => {
      throw new ToolError('line 3 is not there: ask for 1 to 2');
    });
    const limited = makeTool('limited', 'none', () => ({ text: 'never' }));
    const tools = hands([picky, limited], {
      check: (_, call) => (call.name === 'limited' ? { ok: false, reason: 'the limit of limited is reached' } : { ok: true }),
    });
    const journal = await openJournal(journals());
    const { results, completed } = await runCalls(journal, tools, turn(asked('nothing_like_it', 'picky', 'limited')));
    expect(results.map(({ text, error }) => [text, error])).toEqual([
      ['There is no tool "nothing_like_it" here. You have: picky, limited.', true],
      ['line 3 is not there: ask for 1 to 2', true],
      ['the limit of limited is reached', true],
    ]);
    expect(completed).toBeNull();
    expect(journal.entries.filter((entry) => entry.type === 'call.ended').map((entry) => entry.key)).toEqual(['t/turn/0/call/1']);
  });

  it('let any other error through, and record nothing of that call', async () => {
    const broken = makeTool('broken', 'none', () => {
      throw new Error('the disk is full');
    });
    const fine = makeTool('fine', 'none', () => ({ text: 'ok' }));
    const journal = await openJournal(journals());
    await expect(runCalls(journal, hands([broken, fine]), turn(asked('broken', 'fine')))).rejects.toThrow('the disk is full');
    expect(journal.entries.flatMap((entry) => (entry.type === 'call.ended' ? [entry.key] : []))).toEqual(['t/turn/0/call/1']);
  });

  it('do not orphan one another: where one waits the others still end and are not run again', async () => {
    let ready = false;
    const runs: Record<string, number> = {};
    const count = (name: string, answer: () => ToolAnswer) =>
      makeTool(name, 'none', async () => {
        runs[name] = (runs[name] ?? 0) + 1;
        await new Promise((resolve) => setImmediate(resolve));
        return answer();
      });
    const waits = count('waits', () => {
      if (!ready) throw new Pending('a turn', 5);
      return { text: 'at last' };
    });
    const slow = count('slow', () => ({ text: 'slow' }));
    const here = journals();
    const journal = await openJournal(here, 'orphans');
    const calls = asked('waits', 'slow');
    await expect(runCalls(journal, hands([waits, slow]), turn(calls))).rejects.toThrow(Pending);
    ready = true;
    const again = await journals().open('orphans');
    const { results } = await runCalls(again, hands([waits, slow]), turn(calls));
    expect(results.map((one) => one.text)).toEqual(['at last', 'slow']);
    expect(runs).toEqual({ waits: 2, slow: 1 });
  });

  it('put a real error before waiting, so that the job is tried again', async () => {
    const waits = makeTool('waits', 'none', () => {
      throw new Pending('a turn');
    });
    const broken = makeTool('broken', 'none', () => {
      throw new Error('no connection');
    });
    const journal = await openJournal(journals());
    await expect(runCalls(journal, hands([waits, broken]), turn(asked('waits', 'broken')))).rejects.toThrow('no connection');
  });

  it('count limits in the order of the calls before the first of them starts', async () => {
    const seen: number[] = [];
    const started: unknown[] = [];
    const read = makeTool('read', 'none', (input) => {
      started.push(input);
      return { text: 'x' };
    });
    const tools = hands([read], {
      check(used) {
        expect(started).toEqual([]);
        seen.push(used.length);
        return used.length < 2 ? { ok: true } : { ok: false, reason: 'over' };
      },
    });
    const journal = await openJournal(journals());
    const { results } = await runCalls(journal, tools, turn(asked(['read', 1], ['read', 2], ['read', 3], ['nothing', 4])));
    expect(seen).toEqual([0, 1, 2]);
    expect(started).toEqual([1, 2]);
    expect(results.map((one) => one.error)).toEqual([false, false, true, true]);
  });

  it('say in the journal that a write began before it is made, once, and never for a read', async () => {
    let tries = 0;
    const write = makeTool('write', 'github', () => {
      if (++tries === 1) throw new Error('cut off');
      return { text: 'done' };
    });
    const read = makeTool('read', 'none', () => ({ text: 'r' }));
    const journal = await openJournal(journals(), 'began');
    const calls = asked('write', 'read');
    await expect(runCalls(journal, hands([write, read]), turn(calls))).rejects.toThrow('cut off');
    await runCalls(journal, hands([write, read]), turn(calls));
    expect(journal.entries.slice(1).map((entry) => `${entry.type} ${'key' in entry ? entry.key : ''}`)).toEqual([
      'call.ended t/turn/0/call/1',
      'call.started t/turn/0/call/0',
      'call.ended t/turn/0/call/0',
    ]);
  });

  it('complete with the first task_completed that worked, and give an empty result a text', async () => {
    const silent = makeTool('silent', 'none', () => ({ text: '' }));
    const journal = await openJournal(journals());
    const calls = asked('silent', ['task_completed', { message: 'first' }], ['task_completed', { message: 'second' }]);
    const { results, completed } = await runCalls(journal, hands([silent, COMPLETED]), turn(calls));
    expect(results[0]?.text).toBe('(empty)');
    expect(completed).toBe('first');
  });
});
