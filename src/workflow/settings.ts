import { z } from 'zod';

const dollars = z.number().nonnegative();
const count = z.number().int().nonnegative();

/** US dollars a million tokens. */
const Price = z.strictObject({ input: dollars, output: dollars, cacheRead: dollars, cacheWrite: dollars });

const Model = z.strictObject({
  id: z.string().min(1),
  price: Price,
  /** Key that is used while this one is unavailable. */
  fallback: z.string().optional(),
});

/** Null is no limit. Minutes may be fractions. */
const limitsOf = (defaults: Partial<Record<'turns' | 'toolCalls' | 'delegations' | 'tokens' | 'dollars' | 'minutes', number>>) =>
  z
    .strictObject({
      turns: count.nullable().default(defaults.turns ?? null),
      toolCalls: count.nullable().default(defaults.toolCalls ?? null),
      delegations: count.nullable().default(defaults.delegations ?? null),
      tokens: count.nullable().default(defaults.tokens ?? null),
      dollars: dollars.nullable().default(defaults.dollars ?? null),
      minutes: z
        .number()
        .positive()
        .nullable()
        .default(defaults.minutes ?? null),
    })
    .prefault({});

const Limits = z
  .strictObject({
    app: limitsOf({}),
    organization: limitsOf({}),
    repository: limitsOf({}),
    run: limitsOf({ tokens: 50_000_000, dollars: 50 }),
    session: limitsOf({ turns: 200, toolCalls: 2000 }),
    delegation: limitsOf({ turns: 100, toolCalls: 500 }),
  })
  .prefault({});

/** The limits of everything that has some. */
export type Limits = z.infer<typeof Limits>;
/** One row of limits: of the app, an organisation or a repository a day; of a run, session or delegation in all. */
export type Budget = z.infer<typeof Limits>['run'];
/** What limits can be set for, from the widest to the narrowest. */
export const BUDGETS = ['app', 'organization', 'repository', 'run', 'session', 'delegation'] as const;

/** What happens with pull requests from forks of people without write, the narrowest first. */
export const FORKS = ['off', 'ask', 'untrusted'] as const;
/** How serious a finding is, the least first. */
export const SEVERITIES = ['info', 'minor', 'major', 'critical'] as const;

const timeZone = z.string().refine(isTimeZone, { params: { expected: 'the name of a time zone, such as "Europe/Berlin"' } });

/** What an installation allows: `settings.json`. Everything that opens something is off or narrow by default. */
export const Settings = z.strictObject({
  $schema: z.string().optional(),
  models: z
    .record(z.string().min(1), Model)
    .refine((models) => Object.hasOwn(models, 'default'), { params: { expected: 'a model under the key "default"' } })
    .refine((models) => Object.values(models).every((model) => model.fallback === undefined || Object.hasOwn(models, model.fallback)), {
      params: { expected: 'every "fallback" to be the key of another model' },
    })
    .prefault({ default: { id: 'claude-sonnet-4-6', price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } } }),
  limits: Limits,
  concurrency: z
    .strictObject({ advances: z.number().int().min(1).default(64), delegations: z.number().int().min(1).default(256) })
    .prefault({}),
  timeZone: timeZone.default('UTC'),
  retention: z
    .strictObject({
      journalDays: z.number().positive().default(30),
      transcriptDays: z.number().min(0).default(30),
      decisionDays: z.number().positive().default(30),
    })
    .prefault({}),
  aliases: z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/)).default(['overcut']),
  forks: z.enum(FORKS).default('ask'),
  readStrangers: z.boolean().default(false),
  allowOutsiders: z.boolean().default(false),
  approve: z.boolean().default(false),
  merge: z.boolean().default(false),
  push: z.boolean().default(false),
  editWorkflows: z.boolean().default(false),
  closeReopen: z.boolean().default(false),
  clonesFrom: z.array(z.string().min(1)).default([]),
  packageProxy: z.array(z.string().min(1)).default([]),
  deny: z.array(z.string().min(1)).default([]),
  ignore: z.array(z.string().min(1)).default([]),
  maxFindings: count.nullable().default(null),
  severityFloor: z.enum(SEVERITIES).default('info'),
  quiet: z.boolean().default(false),
  gracePeriodSeconds: z.number().min(0).max(300).default(60),
  chain: z.strictObject({ length: count.default(8), perWorkflow: count.default(2) }).prefault({}),
  spawnContract: z.enum(['fill', 'strict']).default('fill'),
});
export type Settings = z.infer<typeof Settings>;

const narrower = z
  .strictObject({
    turns: count.nullable().optional(),
    toolCalls: count.nullable().optional(),
    delegations: count.nullable().optional(),
    tokens: count.nullable().optional(),
    dollars: dollars.nullable().optional(),
    minutes: z.number().positive().nullable().optional(),
  })
  .optional();

/** What a repository may set for itself in `.overcut/settings.json`: it can only narrow what the app allows. */
export const RepositorySettings = z.strictObject({
  $schema: z.string().optional(),
  limits: z.strictObject({ repository: narrower, run: narrower, session: narrower, delegation: narrower }).optional(),
  forks: z.enum(FORKS).optional(),
  readStrangers: z.boolean().optional(),
  allowOutsiders: z.boolean().optional(),
  approve: z.boolean().optional(),
  merge: z.boolean().optional(),
  push: z.boolean().optional(),
  editWorkflows: z.boolean().optional(),
  closeReopen: z.boolean().optional(),
  deny: z.array(z.string().min(1)).optional(),
  ignore: z.array(z.string().min(1)).optional(),
  maxFindings: count.nullable().optional(),
  severityFloor: z.enum(SEVERITIES).optional(),
  quiet: z.boolean().optional(),
});
export type RepositorySettings = z.infer<typeof RepositorySettings>;

/** The settings where no file sets anything. */
export function defaultSettings(): Settings {
  return Settings.parse({});
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
