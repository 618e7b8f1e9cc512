import type { Outcome } from '../journal/effect.ts';
import type { RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { endOfRun, viewRun } from '../journal/view.ts';
import { withheldIn } from '../journal/withheld.ts';
import { whileOpen } from '../session/fence.ts';
import { rulesOf, type Services } from '../session/services.ts';
import { judgeTrouble } from '../session/trouble.ts';

/**
 * A run that ends without `submit_review` submits what it has, so that no finding is lost. Where that cannot be done the reason is recorded and the run
 * ends all the same: its report counts what was not posted.
 */
export async function postLeftovers(services: Services, work: Work): Promise<void> {
  const key = 'leftovers';
  if (work.journal.find('noted', key)) return;
  const count = await countOpen(services, work);
  if (count === 0) return;
  const reason = await whyEarly(services, work);
  const body = reason
    ? partialReview(reason, count)
    : `These ${count} findings were recorded, but the run ended before its review was submitted.`;
  await work.journal.once(key, () => post(services, work, { key, body }));
}

/** Why a run ends before its work is done; empty where it does not. */
async function whyEarly(services: Services, { journal, start }: Work): Promise<string> {
  const view = viewRun(journal.entries);
  return (await services.store.cancels.reasonOf(start.run)) ?? (view ? endOfRun(view).reason : '');
}

function partialReview(reason: string, count: number): string {
  return `**Partial review.** ${reason.replace(/[.\s]+$/, '')}. Found until then: ${count === 1 ? '1 finding' : `${count} findings`}.`;
}

/** What a step that was told to end to have its findings posted left in the journal; `outcome` is null where there was nothing to post. */
export interface Early {
  reason: string;
  outcome: Outcome | null;
}

/** Posts what a step found until somebody asked for it (`reason`), marked partial. `step`: its place in the journal. */
export async function postEarly(services: Services, work: Work, { step, reason }: { step: string; reason: string }): Promise<void> {
  const key = `${step}/early`;
  await work.journal.once(key, async (): Promise<Early> => {
    const count = await countOpen(services, work);
    if (count === 0) return { reason, outcome: null };
    const body = partialReview(reason, count);
    return { reason, outcome: await post(services, work, { key, body }) };
  });
}

interface Work {
  journal: Journal;
  start: RunStart;
  signal: AbortSignal;
}

async function countOpen(services: Services, { start }: Work): Promise<number> {
  if (start.event.resource.kind !== 'pr') return 0;
  const findings = await services.store.drafts.list(start.run);
  return findings.filter((finding) => !finding.posted).length - withheldIn(findings, rulesOf(services, start)).length;
}

async function post(services: Services, { journal, start, signal }: Work, { key, body }: { key: string; body: string }): Promise<Outcome> {
  try {
    return await services.github.perform({
      run: start.run,
      key,
      event: start.event,
      effect: { type: 'review.submit', event: 'COMMENT', body },
      rules: rulesOf(services, start),
      mayStillAct: whileOpen(services.store, start.run),
    });
  } catch (error) {
    return { status: 'refused', reason: await judgeTrouble({ journal, key, signal }, error) };
  }
}
