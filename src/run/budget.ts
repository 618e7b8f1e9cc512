import type { BudgetLines, Entry, RunStart } from '../journal/entry.ts';
import type { Event } from '../journal/event.ts';
import { accountsOf, dayAccounts, fullestOf, usedLines } from '../session/accounts.ts';
import type { Services } from '../session/services.ts';
import { isLimited } from '../store/budgets.ts';
import type { Limits } from '../workflow/settings.ts';

/** Why no run may begin now: a budget of the day is used up; null where there is something left in all. A run can do without delegations. */
export async function budgetRefusal({ store, settings }: Services, bound: { event: Event; limits?: Limits }): Promise<string | null> {
  const accounts = dayAccounts(settings, bound, await store.now())
    .map(({ ceiling, ...account }) => ({ ...account, ceiling: { ...ceiling, delegations: null } }))
    .filter(isLimited);
  if (accounts.length === 0) return null;
  const used = await store.budgets.look(accounts);
  const fullest = fullestOf(accounts, { granted: false, used }, {});
  if (!fullest || fullest.share < 1) return null;
  return `budget: ${fullest.what} is used up; it is whole again at midnight (${settings.timeZone})`;
}

/** What a run has used of its budgets: as it stood at its end, else as it stands now. */
export async function budgetLines(
  { store, settings }: Pick<Services, 'store' | 'settings'>,
  start: RunStart,
  last?: Entry,
): Promise<BudgetLines> {
  if (last?.type === 'run.ended') return last.budgets ?? [];
  const accounts = accountsOf(settings, start, await store.now()).filter(isLimited);
  return usedLines(accounts, await store.budgets.look(accounts));
}

/** Gives back what an ending run has reserved; answers what it used of its budgets, for its record. */
export async function closeBudgets(services: Services, start: RunStart): Promise<{ budgets?: BudgetLines }> {
  const { store, settings } = services;
  await store.budgets.release(start.run, accountsOf(settings, start, await store.now()).filter(isLimited));
  const budgets = await budgetLines(services, start);
  return budgets.length > 0 ? { budgets } : {};
}
