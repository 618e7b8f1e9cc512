import type { Outcome } from '../journal/effect.ts';
import type { RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Services } from '../session/services.ts';
import { judgeTrouble } from '../session/trouble.ts';

/**
 * A run that ends without `submit_review` submits what it has, so that no finding is lost. Where that cannot be done the reason is recorded and the run
 * ends all the same: its report counts what was not posted.
 */
export async function postLeftovers(
  services: Services,
  { journal, start, signal }: { journal: Journal; start: RunStart; signal: AbortSignal },
): Promise<void> {
  if (start.event.resource.kind !== 'pr') return;
  const open = (await services.store.drafts.list(start.run)).filter((finding) => !finding.posted);
  if (open.length === 0) return;
  const body = `These ${open.length} findings were recorded, but the run ended before its review was submitted.`;
  const effect = { type: 'review.submit' as const, event: 'COMMENT' as const, body };
  await journal.once('leftovers', async (): Promise<Outcome> => {
    try {
      return await services.github.perform({ run: start.run, key: 'leftovers', event: start.event, effect });
    } catch (error) {
      return { status: 'refused', reason: await judgeTrouble({ journal, key: 'leftovers', signal }, error) };
    }
  });
}
