import { z } from 'zod';
import { defineTool, type Tool } from '../agent/tool.ts';
import type { ToolContext } from '../tools/context.ts';

const Allowed = z.object({ name: z.string(), maxCalls: z.int().min(0).optional(), only: z.record(z.string(), z.string()).optional() });

/** What a coordinator says when it hands over a task. */
export const DelegateInput = z.object({
  agentId: z.string().min(1).describe('Id or name of one of your agents.'),
  instructions: z.string().min(1).describe('Everything the agent has to know: it sees nothing else of this conversation.'),
  label: z.string().optional(),
  tools: z.object({ allow: z.array(Allowed).optional(), prohibit: z.array(z.string()).optional() }).optional(),
  expect: z.object({ scratchpad: z.string().optional(), minCalls: z.int().optional(), outputPattern: z.string().optional() }).optional(),
  timeoutSeconds: z.number().positive().optional(),
});
export type DelegateInput = z.infer<typeof DelegateInput>;

/** The name by which a coordinator delegates. */
export const DELEGATE = 'delegate_to_sub_agent';

/** The coordinator's own tool; the calls of one turn run together, so it is never run by itself. */
export const delegateTool: Tool<ToolContext> = defineTool({
  name: DELEGATE,
  description: 'Hands a task to one of your agents and answers with its result. Several calls in one turn run in parallel.',
  effect: 'none',
  input: DelegateInput,
  run() {
    throw new Error('delegations of a turn run together');
  },
});
