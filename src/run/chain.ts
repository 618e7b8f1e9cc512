import type { Event } from '../journal/event.ts';
import { resourceKey } from '../journal/resource.ts';
import { startOf } from '../journal/view.ts';
import type { Services } from '../session/services.ts';

/** How long a chain of runs would be that the app itself causes, or why it may not grow. */
export type Link = { chain: number } | { reason: string };

/**
 * What the app itself causes starts workflows like anyone's, but a chain is bounded in length, and one workflow runs only a few times in it per resource
 * (settings), so that a workflow that reviews cannot start itself without end.
 */
export async function linkChain(
  { store, settings }: Services,
  event: Event,
  { path, self }: { path: string; self: string },
): Promise<Link> {
  if (event.actor.login !== self) return { chain: 0 };
  const { length, perWorkflow } = settings.chain;
  const ids = await store.runsOf(resourceKey(event.resource), length + 1);
  const runs = (await Promise.all(ids.map(async (id) => startOf(await store.journals.read(id))))).filter((start) => start !== null);
  const root = runs.findIndex((start) => start.chain === 0);
  const links = root < 0 ? runs : runs.slice(0, root + 1);
  const chain = (links[0]?.chain ?? 0) + 1;
  if (chain >= length) return { reason: `the app itself caused it, and a chain of its runs may be ${length} long (setting chain.length)` };
  if (links.filter((start) => start.workflow.path === path).length >= perWorkflow) {
    return {
      reason: `the app itself caused it, and this workflow ran ${perWorkflow} times in this chain already (setting chain.perWorkflow)`,
    };
  }
  return { chain };
}
