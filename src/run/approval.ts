import type { Effect } from '../journal/effect.ts';
import type { Trust } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import { type Resource, resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import type { Allowed, Asked } from '../store/approvals.ts';
import type { Decision } from '../store/decisions.ts';
import type { Limits, RunRules, Settings } from '../workflow/settings.ts';
import { reactTo, replyTo } from './refusal.ts';
import { startRun } from './start.ts';
import type { ShelvedWorkflow } from './workflows.ts';

/** Name of the check run that asks for a person's word. */
const APPROVAL_CHECK = 'Pitwall approval';

type Pull = Extract<Resource, { kind: 'pr' }>;

/** What is said with `/ok-to-run`: how far the run is trusted. */
const WORDS: Record<string, Trust> = { '': 'untrusted', untrusted: 'untrusted', trusted: 'trusted' };

/** How far runs are allowed for the head of an event; null where nobody allowed them for exactly this commit. */
export async function allowedFor({ store }: Services, { resource }: Event): Promise<Trust | null> {
  if (resource.kind !== 'pr') return null;
  const asked = await store.approvals.look(resourceKey(resource));
  return asked?.head === resource.head.sha ? (asked.allowed?.trust ?? null) : null;
}

/** Remembers that a workflow would start, or has started untrusted, for an event on a pull request from a fork. `shown`: a check run on its head asks for a person's word. */
export async function askApproval(services: Services, event: Event, { path, shown }: { path: string; shown: boolean }): Promise<void> {
  const { resource } = event;
  if (resource.kind !== 'pr') return;
  const asked = await services.store.approvals.note(resourceKey(resource), headOf(event, resource), { path, event });
  if (shown && asked.head === resource.head.sha) await showApproval(services, event, asked);
}

/** A push takes a person's word back: where one was asked for before, the check run on the new head asks again. */
export async function renewApproval(services: Services, event: Event, { forks }: Pick<Settings, 'forks'>): Promise<void> {
  const { resource } = event;
  if (resource.kind !== 'pr' || !resource.head.fork || event.context.trigger.commitAdded !== true) return;
  const key = resourceKey(resource);
  const before = await services.store.approvals.look(key);
  if (!before || before.head === resource.head.sha) return;
  const asked = await services.store.approvals.note(key, headOf(event, resource));
  if (asked.head === resource.head.sha && forks === 'ask') await showApproval(services, event, asked);
}

/** What carrying `/ok-to-run` out needs: its event with the pull request as it is now, and the workflows of the default branch. */
export interface ApprovalParts {
  whole: Event;
  workflows: ShelvedWorkflow[];
  guidance: string;
  sha: string;
  /** The setting of the repository. */
  forks: Settings['forks'];
  /** What runs keep of the repository's settings. */
  kept: { rules: RunRules; limits?: Limits };
  /** Whether the author of the pull request has write permission, so that nothing waits for a word. */
  authorWrites: boolean;
}

type Told = Pick<Decision, 'verdict' | 'reason' | 'run'>;

/**
 * Allows runs for the head commit of a pull request from a fork, and starts the workflows that waited for it; said again for the same commit it starts nothing
 * twice. A commit that the person cannot have seen, because it came after the comment, is not allowed. May be repeated after a crash.
 */
export async function approve(services: Services, event: Event, parts: ApprovalParts): Promise<Told> {
  const { resource } = parts.whole;
  const trust = WORDS[(event.command?.args ?? '').trim().toLowerCase()];
  const pointless = whyPointless(parts, trust);
  if (resource.kind !== 'pr' || trust === undefined || pointless !== null) {
    await replyTo(services, event, pointless ?? USAGE);
    return refuse(`/ok-to-run allowed nothing: ${pointless ?? USAGE}`);
  }
  const key = resourceKey(resource);
  const known = await services.store.approvals.look(key);
  if (known && (known.head !== resource.head.sha || (event.comment?.createdAt ?? '') < known.since))
    return askAgain(services, event, parts);
  const asked = known ?? (await services.store.approvals.note(key, headOf(parts.whole, resource)));
  const word: Allowed = { by: event.actor.login, trust, comment: event.comment?.id ?? 0 };
  const before = asked.allowed;
  if (before && before.comment !== word.comment && (before.trust === 'trusted' || before.trust === trust)) {
    await replyTo(services, event, `@${before.by} has allowed ${short(asked.head)} already; nothing is started twice.`);
    return refuse(`/ok-to-run: @${before.by} had allowed ${short(asked.head)} before`);
  }
  if (!(await services.store.approvals.allow(key, resource.head.sha, word))) return askAgain(services, event, parts);
  const started = await startWaiting(services, parts, { resource, trust, asked });
  await showApproval(services, parts.whole, { ...asked, allowed: word });
  if (started.length > 0) await reactTo(services, event, 'rocket');
  else await replyTo(services, event, `Runs are allowed for ${short(asked.head)}. No workflow has waited for it: commands start them now.`);
  const names = started.map(({ name }) => `"${name}"`).join(', ') || 'nothing, for no workflow waited';
  const [first] = started;
  const reason = `@${event.actor.login} allowed ${trust} runs for ${short(asked.head)} by /ok-to-run, which started ${names}`;
  return first ? { verdict: 'started', reason, run: first.run } : refuse(reason);
}

const USAGE = 'Say `/ok-to-run`, or `/ok-to-run trusted` for a run without the limits of untrusted ones.';

/** Why a word is not needed, or would not help; null where it does. */
function whyPointless({ whole: { resource, author }, authorWrites, forks }: ApprovalParts, trust: Trust | undefined): string | null {
  if (resource.kind !== 'pr') return '`/ok-to-run` is for pull requests from forks; this is none.';
  if (!resource.head.fork) return 'This pull request is not from a fork: its workflows start without `/ok-to-run`.';
  if (authorWrites) return `@${author?.login ?? ''} has write permission here: workflows start without \`/ok-to-run\`.`;
  if (forks === 'off') return 'Pull requests from forks start nothing here: the setting `forks` is "off".';
  if (forks === 'untrusted' && trust === 'untrusted')
    return 'Pull requests from forks run untrusted by themselves here (the setting `forks`). `/ok-to-run trusted` lifts the limits for the newest commit.';
  return null;
}

/** A push came in between: the person is asked to look at what is there now. */
async function askAgain(services: Services, event: Event, { whole }: ApprovalParts): Promise<Told> {
  const { resource } = whole;
  if (resource.kind !== 'pr') return refuse('nothing to allow');
  const asked = await services.store.approvals.note(resourceKey(resource), headOf(whole, resource));
  if (asked.head === resource.head.sha) await showApproval(services, whole, asked);
  const head = short(resource.head.sha);
  await replyTo(services, event, `The newest commit, ${head}, was pushed in the meantime. Look at it, then comment \`/ok-to-run\` again.`);
  return refuse(`/ok-to-run allowed nothing: ${head} was pushed in the meantime`);
}

async function startWaiting(
  services: Services,
  { whole, workflows, guidance, sha, kept }: ApprovalParts,
  { resource, trust, asked }: { resource: Pull; trust: Trust; asked: Asked },
): Promise<{ name: string; run: string }[]> {
  const started: { name: string; run: string }[] = [];
  for (const { path, name, workflow, agents } of workflows) {
    const event = asked.events.get(path);
    if (!event || !workflow) continue;
    const { pullRequest } = whole.context;
    const context = { ...event.context, ...(pullRequest ? { pullRequest } : {}) };
    const delivery = `ok/${resourceKey(resource)}/${resource.head.sha}/${trust}`;
    const plan = { path, workflow, agents, guidance, sha, trust, delaySeconds: 0, chain: 0, ...kept };
    const { run } = await startRun(services, { ...event, delivery, resource, context }, plan);
    started.push({ name, run });
  }
  return started;
}

/** One check run on each head: it asks, and once somebody allowed the commit it says so. */
async function showApproval(services: Services, event: Event, { head, since, allowed }: Asked): Promise<void> {
  const { resource } = event;
  if (resource.kind !== 'pr') return;
  const run = `fork-${resource.repository.id}-${resource.number}-${head}`;
  const write = (key: string, effect: Effect) => services.github.perform({ run, key, event, effect });
  const asks = { title: 'Waiting for /ok-to-run', summary: asksFor(event, head) };
  const made = await write('check', { type: 'check.create', sha: head, name: APPROVAL_CHECK, external: run, output: asks });
  const check = made.status === 'done' && (made.result as { checkId?: unknown }).checkId;
  if (typeof check !== 'number') return;
  const output = allowed ? { title: `Allowed by @${allowed.by}`, summary: tellsOf(head, allowed) } : asks;
  const key = allowed ? `allowed/${allowed.comment}` : `asked/${since}`;
  await write(key, { type: 'check.update', check, status: 'completed', conclusion: 'neutral', output });
}

function asksFor({ author }: Event, head: string): string {
  return [
    `This pull request comes from a fork, and @${author?.login ?? 'ghost'} has no write permission here, so nothing was started.`,
    '',
    `A person with write permission can look at ${short(head)} and then comment:`,
    '',
    '- `/ok-to-run`: workflows run with limits (no terminal, nothing remembered, nothing written but reviews and comments);',
    '- `/ok-to-run trusted`: they run without these limits.',
    '',
    'The word counts for this commit only; a push takes it back.',
  ].join('\n');
}

function tellsOf(head: string, { by, trust }: Allowed): string {
  return `@${by} allowed ${trust} runs for ${short(head)}. The word counts for this commit only; a push takes it back.`;
}

function headOf({ context }: Event, { head }: Pull): { sha: string; since: string } {
  return { sha: head.sha, since: context.pullRequest?.updatedAt ?? '' };
}

function short(sha: string): string {
  return sha.slice(0, 7);
}

function refuse(reason: string): Told {
  return { verdict: 'not matched', reason, run: null };
}
