import { tokensIn } from '../../src/agent/context-window.ts';
import { type Model, type ModelRequest, ModelUnavailable } from '../../src/agent/model.ts';
import type { Answer, Block } from '../../src/journal/answer.ts';
import { generatorFrom } from '../store/generator.ts';
import type { Clockwork } from './clockwork.ts';
import type { Process } from './process.ts';

type Below = (bound: number) => number;
interface Call {
  name: string;
  input: object;
}

/** A model whose answer is a function of the seed and of what it was told, so that what is asked again is answered alike. It is away at times. */
export function makeModel(process: Process, { works, seed, large }: { works: Clockwork; seed: number; large: boolean }): Model {
  return {
    ask: (request, { signal }) =>
      process.call(
        'model',
        () => {
          if (works.oneIn(60)) throw new ModelUnavailable('overloaded', works.now + 2_000 + works.below(30_000));
          return answerTo(request, seed, large);
        },
        { slow: 4_000, ...(signal ? { signal } : {}) },
      ),
  };
}

function answerTo(request: ModelRequest, seed: number, large: boolean): Answer {
  const below = generatorFrom(digest(seed, request));
  const content = speak(request, below, large);
  const called = content.some((block) => block.type === 'tool_use');
  return {
    content,
    stop: called ? 'tool_use' : 'end_turn',
    usage: { input: tokensIn(request.messages), output: below(2_000), cacheRead: 0, cacheWrite: 0 },
    model: request.model,
  };
}

function speak({ tools, messages }: ModelRequest, below: Below, large: boolean): Block[] {
  const turn = messages.filter(({ role }) => role === 'assistant').length;
  const offered = new Set(tools.map(({ name }) => name));
  const wishes = offered.has('delegate_to_sub_agent') ? coordinate(turn, below, large) : labour(turn, below, large);
  const calls = wishes.filter(({ name }) => offered.has(name));
  if (calls.length > 0) return calls.map(({ name, input }, k) => ({ type: 'tool_use', id: `c${turn}-${k}`, name, input }));
  const last = offered.has('task_completed') && below(3) > 0;
  if (last) return [{ type: 'tool_use', id: `c${turn}`, name: 'task_completed', input: { message: `completed at ${turn}` } }];
  return [{ type: 'text', text: `said at ${turn}` }];
}

/** A coordinator delegates, reports, asks and says that it is done, in any order, but not for ever. */
function coordinate(turn: number, below: Below, large: boolean): Call[] {
  if (turn > (large ? 2 : 0)) return [];
  const pick = below(turn === 0 ? 5 : 10);
  const report = { name: 'update_status', input: { message: `turn ${turn}` } };
  const delegate = (k: number) => ({ name: 'delegate_to_sub_agent', input: { agentId: 'a', instructions: `Look at ${turn}/${k}.` } });
  if (pick < 3) return Array.from({ length: 1 + below(large ? 2 : 1) }, (_, k) => delegate(k));
  if (pick === 3) return [report, delegate(0)];
  if (pick === 4) return [{ name: 'append_scratchpad', input: { name: 'plan', content: `plan ${turn}` } }];
  if (pick === 5) return [{ name: 'task_completed', input: { message: `early at ${turn}` } }];
  return [];
}

function labour(turn: number, below: Below, large: boolean): Call[] {
  if (turn > (large ? 1 : 0)) return [];
  const comment = { name: 'add_comment_to_pull_request', input: { body: `remark ${turn} ${below(1_000_000)}` } };
  const pad = { name: 'append_scratchpad', input: { name: 'log', content: `line ${turn} ${below(1_000_000)}` } };
  return [[comment], [pad], [pad, comment], [], []][below(5)] ?? [];
}

/** The seed with all that was told so far. */
function digest(seed: number, { messages, tools }: ModelRequest): number {
  let sum = (seed ^ tools.length) | 0;
  for (const message of messages) {
    const texts = message.role === 'assistant' ? [`${message.content.length}`] : message.text;
    for (const text of texts) for (let k = 0; k < text.length; k += 7) sum = (Math.imul(sum, 31) + text.charCodeAt(k)) | 0;
    sum = (Math.imul(sum, 31) + message.role.length) | 0;
  }
  return sum;
}
