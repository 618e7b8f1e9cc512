import type { Outcome } from '../journal/effect.ts';
import type { RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Services } from '../session/services.ts';
import { judgeTrouble } from '../session/trouble.ts';

/**
 * A run that ends without `submit_review` submits what it has, so that no finding is lost. Where that cannot be done the reason is recorded and the run
 * ends all the same: its report counts what was not posted.
 */
export async function postLeftovers(services: Services, { journal, start, signal }: Work): Promise<void> {
  const told = (count: number) => `These ${count} findings were recorded, but the run ended before its review was submitted.`;
  await postOpen(services, { journal, start, signal }, { key: 'leftovers', told });
}

/** Posts what was found until somebody asked for it (`reason`), marked partial: for a step that was told to end for that. */
export async function postEarly(services: Services, work: Work, { key, reason }: { key: string; reason: string }): Promise<void> {
  const told = (count: number) => `**Partial review.** ${reason}. Found until then: ${count === 1 ? '1 finding' : `${count} findings`}.`;
  await postOpen(services, work, { key: `${key}/early`, told });
}

async function postOpen(
  services: Services,
  { journal, start, signal }: Work,
  { key, told }: { key: string; told(count: number): string },
): Promise<void> {
  if (start.event.resource.kind !== 'pr' || journal.find('noted', key)) return;
  const open = (await services.store.drafts.list(start.run)).filter((finding) => !finding.posted);
  if (open.length === 0) return;
  const effect = { type: 'review.submit' as const, event: 'COMMENT' as const, body: told(open.length) };
  await journal.once(key, async (): Promise<Outcome> => {
    try {
      return await services.github.perform({ run: start.run, key, event: start.event, effect });
    } catch (error) {
      return { status: 'refused', reason: await judgeTrouble({ journal, key, signal }, error) };
    }
  });
}

interface Work {
  journal: Journal;
  start: RunStart;
  signal: AbortSignal;
}
