import { z } from 'zod';

/** A webhook as it came in: GitHub's id of the delivery, the event's name of the header, and the parsed body of any shape. */
export interface Delivery {
  id: string;
  name: string;
  payload: unknown;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);

/** An account. Deleted accounts are null in payloads, or the user "ghost". */
export const Account = z.object({ id: z.number(), login: z.string(), type: text, name: text, email: text });
export type Account = z.infer<typeof Account>;

/** The repository every delivery that can start a run carries. */
export const RepositoryPayload = z.object({
  id: z.number(),
  full_name: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  private: flag,
  default_branch: z
    .string()
    .nullish()
    .transform((value) => value ?? 'main'),
  description: text,
  clone_url: z.string(),
  html_url: text,
});
export type RepositoryPayload = z.infer<typeof RepositoryPayload>;

const Named = z.object({ name: z.string() });
const Milestone = z.object({ title: z.string() });

/** What pull requests and issues have in common. */
const Item = {
  number: z.number().int().positive(),
  title: text,
  state: text,
  body: text,
  html_url: text,
  user: Account.nullish(),
  labels: listOf(Named),
  assignees: listOf(Account),
  milestone: Milestone.nullish(),
  created_at: text,
  updated_at: text,
  closed_at: text,
};

const HeadRepository = z.object({ id: z.number(), full_name: z.string() });

/** A pull request of a webhook or of `GET /pulls/{n}`; reviews' webhooks carry it without the figures. */
export const PullPayload = z.object({
  ...Item,
  draft: flag,
  merged: z.boolean().nullish(),
  merged_at: text,
  merge_commit_sha: text,
  head: z.object({ ref: z.string(), sha: z.string(), repo: HeadRepository.nullish() }),
  base: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ id: z.number() }).nullish() }),
  additions: z.number().nullish(),
  deletions: count,
  changed_files: count,
  requested_reviewers: listOf(z.object({ login: text })),
  auto_merge: z.unknown().optional(),
  mergeable: z.boolean().nullish(),
  rebaseable: z.boolean().nullish(),
});
export type PullPayload = z.infer<typeof PullPayload>;

/** An issue, or the issue side of a pull request, which then carries `pull_request`. */
export const IssuePayload = z.object({
  ...Item,
  type: Named.nullish(),
  draft: flag,
  pull_request: z.object({ merged_at: text }).nullish(),
});
export type IssuePayload = z.infer<typeof IssuePayload>;

/** A comment of the conversation or of a review thread. */
export const CommentPayload = z.object({
  id: z.number(),
  body: text,
  html_url: text,
  created_at: text,
  updated_at: text,
  user: Account.nullish(),
  path: z.string().nullish(),
  line: z.number().nullish(),
  in_reply_to_id: z.number().nullish(),
});
export type CommentPayload = z.infer<typeof CommentPayload>;

const PullReference = z.object({
  number: z.number().int().positive(),
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string(), sha: z.string() }),
});

/** One run of a workflow of GitHub Actions. */
export const CiPayload = z.object({
  id: z.number(),
  name: text,
  event: text,
  status: text,
  conclusion: text,
  head_branch: text,
  head_sha: text,
  html_url: text,
  created_at: text,
  updated_at: text,
  run_started_at: text,
  pull_requests: listOf(PullReference),
  head_repository: HeadRepository.extend({ owner: z.object({ login: text }).nullish() }).nullish(),
});
export type CiPayload = z.infer<typeof CiPayload>;

/** What every delivery that can start a run carries. */
export const Envelope = z.object({
  action: z.string(),
  installation: z.object({ id: z.number() }),
  repository: RepositoryPayload,
  sender: Account,
  organization: z.object({ login: z.string(), name: text }).nullish(),
});
export type Envelope = z.infer<typeof Envelope>;

/** The part of its own that each kind of delivery adds to the envelope. */
export const PAYLOADS = {
  issues: z.object({ issue: IssuePayload, label: Named.nullish(), assignee: Account.nullish(), milestone: Milestone.nullish() }),
  pull_request: z.object({
    pull_request: PullPayload,
    label: Named.nullish(),
    assignee: Account.nullish(),
    milestone: Milestone.nullish(),
  }),
  issue_comment: z.object({ issue: IssuePayload, comment: CommentPayload }),
  pull_request_review: z.object({ pull_request: PullPayload, review: z.object({ state: text, user: Account.nullish(), body: text }) }),
  pull_request_review_comment: z.object({ pull_request: PullPayload, comment: CommentPayload }),
  workflow_run: z.object({ workflow_run: CiPayload }),
} as const;

/** The name of an event whose payload is read, as GitHub sends it. */
export type PayloadName = keyof typeof PAYLOADS;
/** What is read of the payload of an event. */
export type PayloadOf<N extends PayloadName> = z.infer<(typeof PAYLOADS)[N]>;

/** The parts that tell payloads apart, those of events that start nothing as well. */
const TELLING = ['issue', 'pull_request', 'comment', 'review', 'thread', 'workflow_run', 'deployment', 'deployment_status'];

/**
 * Reads a delivery's payload; answers with the difference in one line where it is not what GitHub sends under this name. The signature does not cover the
 * name, so a payload that has parts of another event is none of this one.
 */
export function readPayload<N extends PayloadName>(name: N, payload: unknown): { envelope: Envelope; own: PayloadOf<N> } | string {
  const envelope = Envelope.safeParse(payload);
  if (!envelope.success) return explainMismatch(envelope.error);
  const own = PAYLOADS[name].safeParse(payload);
  if (!own.success) return explainMismatch(own.error);
  const said = payload as Record<string, unknown>;
  const foreign = TELLING.find((part) => said[part] != null && !Object.hasOwn(own.data, part));
  return foreign === undefined ? { envelope: envelope.data, own: own.data as PayloadOf<N> } : `${foreign}: belongs to another event`;
}

const Dispatched = z.looseObject({ action: z.string().nullish(), installation: z.looseObject({ id: z.number() }).nullish() });

/** Whether a delivery, of whatever event, can be dispatched: its name and the little that every event has are as GitHub writes them. */
export function isDispatchable({ name, payload }: Delivery): boolean {
  return !(name in {}) && Dispatched.safeParse(payload).success;
}

/** Says in one line where a payload differs from what GitHub sends. */
function explainMismatch(error: z.ZodError): string {
  const first = error.issues[0];
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return first ? `${first.path.join('.') || 'payload'}: ${first.message}${more}` : 'not a payload of GitHub';
}
