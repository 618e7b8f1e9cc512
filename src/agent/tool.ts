import type { z } from 'zod';
import type { Changes } from '../journal/tree.ts';

/** What a call changes, if it works. It decides the order inside a turn and who may call it. */
export type ToolEffect = 'none' | 'workspace' | 'terminal' | 'github' | 'memory';

/** What a tool answers: text (or JSON as text) for the model, and the paths it changed in the workspace. */
export interface ToolAnswer {
  text: string;
  changes?: Changes;
  /** The call did not do what it was asked for; the text says why and what would. */
  error?: boolean;
}

/**
 * Something an agent can do. `run` may throw `ToolError` (the model is told), `Pending` (wait) or anything else (the job is tried again).
 * `C` is the context it works in; `tools/context.ts` has ours.
 */
export interface Tool<C> {
  name: string;
  /** Older names that published prompts use. */
  aliases?: string[];
  description: string;
  effect: ToolEffect;
  input: z.ZodType;
  /** Its arguments are known by their own names only: a wrong guess would overwrite something. */
  exact?: boolean;
  run(context: C, input: unknown): Promise<ToolAnswer>;
}

/** Binds a tool's input type to its schema; the caller has parsed the input with it. */
export function defineTool<C, S extends z.ZodType>(
  tool: Omit<Tool<C>, 'run' | 'input'> & { input: S; run(context: C, input: z.infer<S>): Promise<ToolAnswer> },
): Tool<C> {
  return tool as Tool<C>;
}
