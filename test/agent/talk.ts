import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { TurnTools } from '../../src/agent/calls.ts';
import type { Model, ModelRequest } from '../../src/agent/model.ts';
import type { Tool, ToolAnswer, ToolEffect } from '../../src/agent/tool.ts';
import type { Answer, Block } from '../../src/journal/answer.ts';
import type { Journals } from '../../src/store/journals.ts';

/** What a model that plays a part says in one turn. */
export interface Line {
  text?: string;
  calls?: { name: string; input?: unknown }[];
  stop?: Answer['stop'];
}

/** A model whose answers are a function of the request; ids of calls are new each time, as a real one's are. */
export function playModel(play: (request: ModelRequest, nth: number) => Line | Promise<Line>): Model & { asked: ModelRequest[] } {
  const asked: ModelRequest[] = [];
  return {
    asked,
    async ask(request, { onFirstByte }) {
      asked.push(structuredClone(request));
      const line = await play(request, asked.length - 1);
      onFirstByte?.();
      return answerOf(line, request.model);
    },
  };
}

function answerOf({ text, calls = [], stop }: Line, model: string): Answer {
  const said: Block[] = text === undefined ? [] : [{ type: 'text', text }];
  const used: Block[] = calls.map(({ name, input = {} }) => ({ type: 'tool_use', id: `call_${randomUUID()}`, name, input }));
  return {
    content: [...said, ...used],
    stop: stop ?? (used.length > 0 ? 'tool_use' : 'end_turn'),
    usage: { input: 10, output: 2, cacheRead: 0, cacheWrite: 0 },
    model,
  };
}

/** A tool of a test: what it does is told by its name and input. */
export function makeTool(name: string, effect: ToolEffect, run: (input: unknown) => Promise<ToolAnswer> | ToolAnswer): Tool<null> {
  return { name, effect, description: name, input: z.unknown(), run: async (_, input) => run(input) };
}

export const COMPLETED = makeTool('task_completed', 'none', (input) => ({ text: String((input as { message?: string }).message ?? '') }));

/** Hands without limits over some tools. */
export function hands(tools: Tool<null>[], more: Partial<TurnTools<null>> = {}): TurnTools<null> {
  return {
    agent: 'Tester',
    find: (name) => tools.find((tool) => tool.name === name) ?? null,
    names: tools.map((tool) => tool.name),
    check: () => ({ ok: true }),
    run: (tool, call) => tool.run(null, call.input),
    ...more,
  };
}

export function schemasOf(tools: Tool<null>[]) {
  return tools.map(({ name, description }) => ({ name, description, input_schema: { type: 'object' as const } }));
}

/** A journal with one first entry, open for writing. */
export async function openJournal(journals: Journals, id: string = randomUUID()) {
  await journals.create(id, { type: 'noted', key: 'start', value: null });
  return journals.open(id);
}
