import { z } from 'zod';
import { Condition } from './condition.ts';
import { optional } from './optional.ts';
import { type Step, StepInput } from './step.ts';
import { Trigger } from './trigger.ts';

/** How long a run may take where its workflow says nothing. */
export const HOUR_MS = 3_600_000;
/** How a run shows its state: a comment each time, one that is edited, or only at the start and the end. */
export const STATUS_METHODS = ['comment', 'reuse_comment', 'static_comment'] as const;

/** A way from one step to the next; from `""` it is an entry. It is taken when its source completed and its condition holds. */
export const Edge = z.strictObject({
  from: optional(z.string(), ''),
  to: z.string().min(1),
  condition: optional(Condition, null),
});
export type Edge = z.infer<typeof Edge>;

/** An agent that a workflow names by id. */
export const AgentReference = z.strictObject({
  id: z.string().min(1),
  name: optional(z.string(), ''),
  type: optional(z.string(), null),
});
export type AgentReference = z.infer<typeof AgentReference>;

/** A workflow's definition as it is written, without the wrapper. */
export const Definition = z.strictObject({
  version: optional(z.string(), '1.0.0'),
  name: z.string().min(1),
  description: optional(z.string(), ''),
  triggers: z.array(Trigger).min(1),
  steps: z.array(StepInput).min(1),
  flow: optional(z.array(Edge), []),
  priority: optional(z.number().int().min(1).max(100), 5),
  timeoutMs: z
    .number()
    .min(30_000)
    .nullable()
    .optional()
    .transform((value) => (value === undefined ? HOUR_MS : value)),
  statusUpdateMethod: optional(z.enum(STATUS_METHODS), 'comment' as const),
  defaultModelKey: optional(z.string(), null),
});
export type Definition = z.infer<typeof Definition>;

/** A workflow as it runs, from whichever shape it came. Plain data: it is kept in a journal. */
export interface Workflow {
  path: string;
  name: string;
  description: string;
  version: '1.0.0';
  /** 1 to 100; lower runs first among runs queued for one resource. */
  priority: number;
  /** For the whole run, time in WaitingForReply not counted; null is none. */
  timeoutMs: number | null;
  statusUpdateMethod: (typeof STATUS_METHODS)[number];
  defaultModelKey: string | null;
  triggers: Trigger[];
  steps: Step[];
  /** All edges, entries (`from: ""`) included, also where the file left them out. */
  flow: Edge[];
  agents: AgentReference[];
  /** Keys that the format does not know, by their path in the file. */
  extra: Record<string, unknown>;
}
