import type { DelegationStart } from '../journal/entry.ts';
import { accountsOf, fullestOf } from './accounts.ts';
import type { Services } from './services.ts';

/**
 * Books a delegation on the budgets that limit how many there may be, once, whatever is repeated. Answers why it may not be, or null. Nothing is asked where no
 * budget limits them.
 */
export async function bookDelegation({ store, settings }: Services, start: DelegationStart): Promise<string | null> {
  const accounts = accountsOf(settings, start, await store.now()).filter(({ ceiling }) => typeof ceiling.delegations === 'number');
  if (accounts.length === 0) return null;
  const place = { run: start.run, key: start.key };
  const one = { delegations: 1 };
  const only = accounts.map(({ id, of, ceiling }) => ({ id, of, ceiling: { delegations: ceiling.delegations ?? null } }));
  const reservation = await store.budgets.reserve(place, one, only);
  if (!reservation.granted) return fullestOf(only, reservation, one)?.what ?? 'a budget';
  await store.budgets.settle(place, one, only);
  return null;
}
