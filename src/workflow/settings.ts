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
export type Severity = (typeof SEVERITIES)[number];

const timeZone = z.string().refine(isTimeZone, { params: { expected: 'the name of a time zone, such as "Europe/Berlin"' } });

const toolNames = z.array(z.string().min(1)).max(500);
const ignoreRules = z
  .array(
    z
      .string()
      .min(1)
      .max(300)
      .refine((rule) => !rule.startsWith('!'), { params: { expected: 'a pattern without "!": nothing is taken back' } }),
  )
  .max(200);

/** Settings of parts that are not built: they are taken, change nothing so far, and whoever sets one is told so. */
export const NOT_IN_FORCE: Readonly<Record<string, string>> = {
  merge: 'no tool merges pull requests yet',
  push: 'no tool pushes yet',
  editWorkflows: 'no tool pushes yet',
  packageProxy: 'agents have no commands yet',
  spawnContract: 'there is no sessions_spawn yet',
  'retention.transcriptDays': 'transcripts are kept as long as their runs, retention.journalDays',
  'limits.delegation.delegations': 'sub-agents do not delegate',
};

function notYet(path: string): string {
  return `Not in force yet: ${NOT_IN_FORCE[path]}.`;
}

/** What each setting does, for editors. */
const TOLD = {
  models:
    'Models by the keys that workflows name, with prices in US dollars a million tokens. "fallback" is the key of the model that answers while this one is unavailable.',
  limits:
    'Limits: of the app, an organization and a repository a day; of a run, a session and a delegation in all. The smallest one wins; null is none. "delegations" of a delegation is not in force: sub-agents do not delegate.',
  concurrency: 'How many runs and delegations a process works on at once.',
  timeZone: 'Where days of limits begin and end.',
  retention: 'How long runs with all they said (journalDays) and decisions (decisionDays) are kept, in days.',
  aliases: 'Names beside the App’s own that a mention may use.',
  forks:
    'Pull requests from forks of people without write permission: "ask" starts nothing before a person says /ok-to-run, "untrusted" starts runs with limits, "off" starts nothing at all.',
  readStrangers: 'Whether agents may read comments by people without write permission.',
  allowOutsiders: 'Whether triggers that set allowOutsiders may be started by comments of people without write permission.',
  approve: 'Whether a review may approve; else it is posted as a comment.',
  requestChanges:
    'Whether a review may request changes, which blocks the pull request until a person dismisses it; else it is posted as a comment.',
  merge: `Whether agents may merge pull requests. ${notYet('merge')}`,
  push: `Whether agents may push to default and protected branches. ${notYet('push')}`,
  editWorkflows: `Whether what agents push may change .github/workflows and .overcut. ${notYet('editWorkflows')}`,
  closeReopen: 'Whether agents may close and reopen the run’s own pull request or issue.',
  clonesFrom: 'Repositories ("owner/name" or "owner/*") that workflows may clone beside those that they name themselves.',
  allowedHosts: 'Hosts, with a port where it is not the usual one, that code may be fetched from beside GitHub’s own.',
  packageProxy: `Package registries that agents’ commands may reach. ${notYet('packageProxy')}`,
  deny: 'Tools that no agent may call.',
  ignore:
    'Changed files that reviews leave out, as .gitignore names files: "*.lock", "dist/", "docs/**/*.svg". The check run says which rule left a file out.',
  maxFindings: 'How many findings a run posts at most, the most severe first; the check run lists the others. Null is no limit.',
  severityFloor:
    'Findings that say that they are less severe than this are not posted; the check run lists them. One that says nothing is posted.',
  quiet: 'No status comments on pull requests: the check run says what they would.',
  gracePeriodSeconds: 'How long what is under way may take to come to an end after it was told to.',
  chain: 'How many runs may follow each other that the app itself causes, in all and of one workflow.',
  spawnContract: `Whether sessions_spawn fills in what is missing, or refuses. ${notYet('spawnContract')}`,
};

/** What an installation allows: `settings.json`. Everything that opens something is off or narrow by default. */
export const Settings = z.strictObject({
  $schema: z.string().optional(),
  models: z
    .record(z.string().min(1), Model)
    .refine((models) => Object.hasOwn(models, 'default'), { params: { expected: 'a model under the key "default"' } })
    .refine((models) => Object.values(models).every((model) => model.fallback === undefined || Object.hasOwn(models, model.fallback)), {
      params: { expected: 'every "fallback" to be the key of another model' },
    })
    .prefault({ default: { id: 'claude-sonnet-4-6', price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } } })
    .describe(TOLD.models),
  limits: Limits.describe(TOLD.limits),
  concurrency: z
    .strictObject({ advances: z.number().int().min(1).default(64), delegations: z.number().int().min(1).default(256) })
    .prefault({})
    .describe(TOLD.concurrency),
  timeZone: timeZone.default('UTC').describe(TOLD.timeZone),
  retention: z
    .strictObject({
      journalDays: z.number().positive().default(30),
      transcriptDays: z.number().min(0).default(30).describe(notYet('retention.transcriptDays')),
      decisionDays: z.number().positive().default(30),
    })
    .prefault({})
    .describe(TOLD.retention),
  aliases: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/))
    .default(['overcut'])
    .describe(TOLD.aliases),
  forks: z.enum(FORKS).default('ask').describe(TOLD.forks),
  readStrangers: z.boolean().default(false).describe(TOLD.readStrangers),
  allowOutsiders: z.boolean().default(false).describe(TOLD.allowOutsiders),
  approve: z.boolean().default(false).describe(TOLD.approve),
  requestChanges: z.boolean().default(false).describe(TOLD.requestChanges),
  merge: z.boolean().default(false).describe(TOLD.merge),
  push: z.boolean().default(false).describe(TOLD.push),
  editWorkflows: z.boolean().default(false).describe(TOLD.editWorkflows),
  closeReopen: z.boolean().default(false).describe(TOLD.closeReopen),
  clonesFrom: z.array(z.string().min(1)).default([]).describe(TOLD.clonesFrom),
  allowedHosts: z.array(z.string().min(1)).default([]).describe(TOLD.allowedHosts),
  packageProxy: z.array(z.string().min(1)).default([]).describe(TOLD.packageProxy),
  deny: toolNames.default([]).describe(TOLD.deny),
  ignore: ignoreRules.default([]).describe(TOLD.ignore),
  maxFindings: count.nullable().default(null).describe(TOLD.maxFindings),
  severityFloor: z.enum(SEVERITIES).default('info').describe(TOLD.severityFloor),
  quiet: z.boolean().default(false).describe(TOLD.quiet),
  gracePeriodSeconds: z.number().min(0).max(300).default(60).describe(TOLD.gracePeriodSeconds),
  chain: z
    .strictObject({ length: count.default(8), perWorkflow: count.default(2) })
    .prefault({})
    .describe(TOLD.chain),
  spawnContract: z.enum(['fill', 'strict']).default('fill').describe(TOLD.spawnContract),
});
export type Settings = z.infer<typeof Settings>;

/** What an installation and a repository allow a run to do, and what it leaves out: settings that a run keeps as they were when it started. */
export type RunRules = Pick<
  Settings,
  'readStrangers' | 'approve' | 'requestChanges' | 'closeReopen' | 'deny' | 'ignore' | 'maxFindings' | 'severityFloor' | 'quiet'
>;

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
  limits: z.strictObject({ repository: narrower, run: narrower, session: narrower, delegation: narrower }).optional().describe(TOLD.limits),
  forks: z.enum(FORKS).optional().describe(TOLD.forks),
  readStrangers: z.boolean().optional().describe(TOLD.readStrangers),
  allowOutsiders: z.boolean().optional().describe(TOLD.allowOutsiders),
  approve: z.boolean().optional().describe(TOLD.approve),
  requestChanges: z.boolean().optional().describe(TOLD.requestChanges),
  merge: z.boolean().optional().describe(TOLD.merge),
  push: z.boolean().optional().describe(TOLD.push),
  editWorkflows: z.boolean().optional().describe(TOLD.editWorkflows),
  closeReopen: z.boolean().optional().describe(TOLD.closeReopen),
  deny: toolNames.optional().describe(TOLD.deny),
  ignore: ignoreRules.optional().describe(TOLD.ignore),
  maxFindings: count.nullable().optional().describe(TOLD.maxFindings),
  severityFloor: z.enum(SEVERITIES).optional().describe(TOLD.severityFloor),
  quiet: z.boolean().optional().describe(TOLD.quiet),
});
export type RepositorySettings = z.infer<typeof RepositorySettings>;

/** What of the settings a run keeps. */
export function runRulesOf(settings: Settings): RunRules {
  const { readStrangers, approve, requestChanges, closeReopen, deny, ignore, maxFindings, severityFloor, quiet } = settings;
  return { readStrangers, approve, requestChanges, closeReopen, deny, ignore, maxFindings, severityFloor, quiet };
}

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
