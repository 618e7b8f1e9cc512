import type { Clock } from '../../journal/clock.ts';
import { type Account, type Budgets, isLimited, PARTS, placeName, RESERVED_MS, spendingOf, wholeOf } from '../budgets.ts';
import { type AtOnce, getOr } from './way.ts';

interface Kept {
  totals: number[];
  /** Amounts and the time of the reservation (ms since 1970), by place. */
  open: Map<string, { amounts: number[]; at: number }>;
}

/** Budgets in this process' memory. */
export function budgets(clock: Clock): AtOnce<Budgets> {
  const settled = new Map<string, number[]>();
  const kept = new Map<string, Kept>();
  const of = ({ id }: Account) => getOr(kept, id, (): Kept => ({ totals: PARTS.map(() => 0), open: new Map() }));
  const usedIn = (account: Account, own: string) => {
    const { totals, open } = of(account);
    const sums = [...totals];
    for (const [place, { amounts, at }] of open) {
      if (at + RESERVED_MS < clock.now()) open.delete(place);
      else if (place !== own) amounts.forEach((amount, part) => void (sums[part] = (sums[part] ?? 0) + amount));
    }
    return sums;
  };
  return {
    reserve({ run, key }, estimate, accounts) {
      const own = placeName(run, key);
      const amounts = wholeOf(estimate);
      const used = accounts.map((account) => usedIn(account, own));
      const fits = ({ ceiling }: Account, sums: number[]) =>
        PARTS.every((part, at) => {
          const most = ceiling[part];
          return most === null || most === undefined || (sums[at] ?? 0) + (amounts[at] ?? 0) <= Math.floor(most);
        });
      const known = settled.has(own);
      const granted = known || accounts.every((account, at) => fits(account, used[at] ?? []));
      if (granted && !known) for (const account of accounts.filter(isLimited)) of(account).open.set(own, { amounts, at: clock.now() });
      return { granted, used: used.map(spendingOf) };
    },
    settle({ run, key }, spent, accounts) {
      const own = placeName(run, key);
      const amounts = wholeOf(spent);
      const before = settled.get(own) ?? [];
      settled.set(own, amounts);
      for (const account of accounts) {
        const { totals, open } = of(account);
        amounts.forEach((amount, part) => void (totals[part] = (totals[part] ?? 0) + amount - (before[part] ?? 0)));
        open.delete(own);
      }
    },
    release(run, accounts) {
      for (const account of accounts)
        for (const place of of(account).open.keys()) if (place.startsWith(placeName(run, ''))) of(account).open.delete(place);
    },
    look: (accounts) => accounts.map((account) => spendingOf(of(account).totals)),
  };
}
