import { createHash } from 'node:crypto';
import type { Api } from '../github/api.ts';
import type { Configurations, ProposingPull } from '../github/configuration.ts';
import { GitHubError } from '../github/error.ts';
import type { Effect, Outcome } from '../journal/effect.ts';
import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import { annotationsOf, conclusionOf, inspectProposed, type Proposed, summaryOf, titleOf } from './proposed.ts';

/** What the check works with; `api` reads the event's repository. */
export interface ProposalParts {
  services: Pick<Services, 'github' | 'store' | 'log'>;
  configurations: Pick<Configurations, 'readProposed'>;
  api: Api;
}

/** Name of the check run. */
export const PROPOSAL_CHECK = 'Pitwall configuration';

/** GitHub will answer the same again: its answer is logged, and the delivery is done. */
const FINAL = ['permission', 'missing', 'suspended', 'refused'];

/**
 * Looks at the configuration that a pull request proposes, and says in a check run on its head what is wrong with it and what it would start. Nothing of it
 * runs. Other events, and pull requests that leave `.overcut` alone, pass without a trace. May be repeated: each delivery makes one check run. Throws what
 * may go better the next time.
 */
export async function checkProposal(event: Event, parts: ProposalParts): Promise<void> {
  const pull = proposingPull(event);
  if (!pull) return;
  try {
    const configuration = await parts.configurations.readProposed(parts.api, event.repository, pull);
    if (!configuration) return;
    const proposed = await inspectProposed(configuration);
    const outcome = await show(proposed, { event, pull, parts });
    const ending = outcome.status === 'done' ? '' : ` (the check run could not be written: ${outcome.reason})`;
    const reason = `it proposes configuration: ${titleOf(proposed)}; the default branch's version runs until it is merged${ending}`;
    const about = { delivery: event.delivery, event: event.name, workflow: null, run: null };
    await parts.services.store.decisions.record(event.repository.id, resourceKey(event.resource), [
      { at: Date.now(), ...about, verdict: 'checked', reason },
    ]);
  } catch (error) {
    if (!(error instanceof GitHubError) || !FINAL.includes(error.kind)) throw error;
    const where = { delivery: event.delivery, repository: event.repository.fullName, number: pull.number };
    parts.services.log.warn({ ...where, err: error }, 'the configuration that a pull request proposes could not be read');
  }
}

/** Opened, reopened, or its commits changed. */
function proposingPull({ resource, context, comment }: Event): ProposingPull | null {
  if (resource.kind !== 'pr' || comment) return null;
  const { prAction, commitAdded } = context.trigger;
  if (prAction !== 'opened' && prAction !== 'reopened' && commitAdded !== true) return null;
  return { number: resource.number, head: resource.head.sha, base: resource.base.sha };
}

interface Showing {
  event: Event;
  pull: ProposingPull;
  parts: ProposalParts;
}

/** The ids of its effects come from the delivery, so that the same delivery again changes nothing. */
async function show(proposed: Proposed, { event, pull, parts }: Showing): Promise<Outcome> {
  const run = `p${createHash('sha256').update(event.delivery).digest('hex').slice(0, 15)}`;
  const write = (key: string, effect: Effect) => parts.services.github.perform({ run, key, event, effect });
  const output = { title: titleOf(proposed), summary: await summaryOf(proposed, event) };
  const made = await write('proposal', { type: 'check.create', sha: pull.head, name: PROPOSAL_CHECK, external: run, output });
  if (made.status !== 'done') return made;
  const { checkId } = made.result as { checkId: number };
  const annotations = annotationsOf(proposed);
  const conclusion = conclusionOf(proposed);
  return write('proposal/end', {
    type: 'check.update',
    check: checkId,
    status: 'completed',
    conclusion,
    output: { ...output, annotations },
  });
}
