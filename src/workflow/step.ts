import { z } from 'zod';
import { optional } from './optional.ts';

const MINUTES = 10;
const ENGINES = ['overcut', 'claude'] as const;

const CloneOptions = z.strictObject({
  depth: optional(z.number().int().min(0), null),
  filter: optional(
    z.strictObject({
      type: optional(z.string().regex(/^blob:(none|limit=\d+[kKmMgG]?)$/), null),
      size: optional(z.string().regex(/^\d+[kKmMgG]?$/), null),
    }),
    null,
  ),
  singleBranch: optional(z.boolean(), false),
  sparseCheckout: optional(z.strictObject({ enabled: optional(z.boolean(), false), paths: optional(z.array(z.string()), []) }), null),
  ignoreCache: optional(z.boolean(), false),
  submodules: optional(z.strictObject({ enabled: optional(z.boolean(), false), shallow: optional(z.boolean(), false) }), null),
});
/** How to clone. `depth` 0 or null is the whole history. */
export type CloneOptions = z.infer<typeof CloneOptions>;

const CloneParams = z.strictObject({
  repoFullName: optional(z.string().min(1), '{{trigger.repository.fullName}}'),
  branch: optional(z.string(), ''),
  cloneOptions: CloneOptions.nullish().transform((value): CloneOptions => value ?? CloneOptions.parse({})),
});

const IdentifyParams = z.strictObject({
  maxResults: optional(z.number().int().min(1).max(20), 1),
  minConfidence: optional(z.number().min(0).max(1), 0.2),
  identificationHints: optional(z.string(), ''),
});

/** `agent` (of the third shape) is resolved to `agentId` when a workflow is loaded. */
const RunParams = z.strictObject({
  agentId: optional(z.string().min(1), ''),
  agent: z.string().min(1).nullish(),
  agentEngine: optional(z.enum(ENGINES), 'overcut' as const),
});

const ExitCriteria = z.strictObject({
  timeLimit: optional(z.strictObject({ maxDurationMinutes: optional(z.number().positive(), MINUTES) }), { maxDurationMinutes: MINUTES }),
  userSignals: optional(z.strictObject({ explicit: optional(z.array(z.string().min(1)), []) }), { explicit: [] }),
});

const SessionParams = z.strictObject({
  agentIds: optional(z.array(z.string().min(1)), []),
  agents: z.array(z.string().min(1)).nullish(),
  agent: z.string().min(1).nullish(),
  goal: z.string(),
  exitCriteria: optional(ExitCriteria, { timeLimit: { maxDurationMinutes: MINUTES }, userSignals: { explicit: [] } }),
  listenToComments: optional(z.boolean(), false),
  keepSessionOpenForComments: optional(z.boolean(), false),
  agentEngine: optional(z.enum(ENGINES), 'overcut' as const),
  coordinatorModelKey: optional(z.string(), null),
  maxDelegations: optional(z.number().int().min(0), null),
});

const CiParams = z.strictObject({
  repoFullName: z.string().min(1),
  workflowId: z.string().min(1),
  ref: optional(z.string(), ''),
  inputs: optional(z.record(z.string(), z.string()), {}),
  waitForCompletion: optional(z.boolean(), false),
});

/** What every step has. `instruction` is here or in the file `<step-id>.md`; a step's time is in minutes. */
const anyStep = {
  id: z.string().regex(/^[a-zA-Z0-9-]+$/),
  name: optional(z.string(), ''),
  instruction: optional(z.string(), null),
  stepMaxDurationMinutes: optional(z.number().min(1), null),
};

const NO_CLONE = { repoFullName: '{{trigger.repository.fullName}}', branch: '', cloneOptions: CloneOptions.parse({}) };
const NO_IDENTIFY = { maxResults: 1, minConfidence: 0.2, identificationHints: '' };

/** A step as it is written. */
export const StepInput = z.discriminatedUnion('action', [
  z.strictObject({ ...anyStep, action: z.literal('git.clone'), params: optional(CloneParams, NO_CLONE) }),
  z.strictObject({ ...anyStep, action: z.literal('repo.identify'), params: optional(IdentifyParams, NO_IDENTIFY) }),
  z.strictObject({ ...anyStep, action: z.literal('agent.run'), params: RunParams }),
  z.strictObject({ ...anyStep, action: z.literal('agent.session'), params: SessionParams }),
  z.strictObject({ ...anyStep, action: z.literal('ci.executeWorkflow'), params: CiParams }),
]);
export type StepInput = z.infer<typeof StepInput>;

/** What a step can do. */
export const ACTIONS = ['git.clone', 'repo.identify', 'agent.run', 'agent.session', 'ci.executeWorkflow'] as const;

interface StepBase {
  id: string;
  name: string;
  /** Filled in: the step's own, else the session's time limit + 5, else 30. */
  stepMaxDurationMinutes: number;
}

/** A step as it runs: defaults filled in, the instruction found, templates not yet filled. Only agent steps have an instruction. */
export type Step =
  | (StepBase & { action: 'git.clone'; params: z.infer<typeof CloneParams>; instruction: null })
  | (StepBase & { action: 'repo.identify'; params: z.infer<typeof IdentifyParams>; instruction: null })
  | (StepBase & { action: 'agent.run'; params: AgentRunParams; instruction: string })
  | (StepBase & { action: 'agent.session'; params: AgentSessionParams; instruction: string })
  | (StepBase & { action: 'ci.executeWorkflow'; params: z.infer<typeof CiParams>; instruction: null });

/** What an `agent.run` step is given. */
export type AgentRunParams = Omit<z.infer<typeof RunParams>, 'agent'>;
/** What an `agent.session` step is given. Minutes may be fractions. */
export type AgentSessionParams = Omit<z.infer<typeof SessionParams>, 'agent' | 'agents'>;
/** The step of one action. */
export type StepOf<A extends Step['action']> = Extract<Step, { action: A }>;

/** A step's limit in minutes where it sets none itself. */
export function defaultMinutes(step: StepInput): number {
  return step.action === 'agent.session' ? step.params.exitCriteria.timeLimit.maxDurationMinutes + 5 : 30;
}
