import type { RunStart } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Services } from '../session/services.ts';

/** A run that ends without `submit_review` submits what it has, so that no finding is lost. */
export async function postLeftovers(services: Services, { journal, start }: { journal: Journal; start: RunStart }): Promise<void> {
  if (start.event.resource.kind !== 'pr') return;
  const open = (await services.store.drafts.list(start.run)).filter((finding) => !finding.posted);
  if (open.length === 0) return;
  await journal.once('leftovers', async () => {
    const body = `These ${open.length} findings were recorded, but the run ended before its review was submitted.`;
    return services.github.perform({
      run: start.run,
      key: 'leftovers',
      event: start.event,
      effect: { type: 'review.submit', event: 'COMMENT', body },
    });
  });
}
