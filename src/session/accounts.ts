import type { Event } from '../journal/event.ts';
import type { Account, Reservation, Spending } from '../store/budgets.ts';
import { PARTS } from '../store/budgets.ts';
import type { Budget, Limits, Settings } from '../workflow/settings.ts';

/** An account with the words that people read: whose budget it is. */
export interface NamedAccount extends Account {
  of: string;
}

/** What belongs to a run: its id, where it runs, and its limits, as its repository narrowed them. */
export interface Bound {
  run: string;
  event: Event;
  limits?: Limits;
}

/** The limits of a run: those it was started with. */
export function limitsOf(settings: Settings, { limits }: Pick<Bound, 'limits'>): Limits {
  return limits ?? settings.limits;
}

/** The accounts on which work of a run is booked. Those of the day are shared by all runs of a repository, an organisation and the app. */
export function accountsOf(settings: Settings, bound: Bound, now: number): NamedAccount[] {
  return [runAccount(settings, bound), ...dayAccounts(settings, bound, now)];
}

/** The accounts of a day, which begins and ends by the settings' time zone. An organisation is an installation of the App: names change, ids do not. */
export function dayAccounts(settings: Settings, bound: Pick<Bound, 'event' | 'limits'>, now: number): NamedAccount[] {
  const { app, organization, repository } = limitsOf(settings, bound);
  const { event } = bound;
  const day = dayIn(now, settings.timeZone);
  return [
    { id: `repository:${event.repository.id}:${day}`, of: 'this repository today', ceiling: ceilingOf(repository) },
    { id: `organization:${event.installation}:${day}`, of: 'this organization today', ceiling: ceilingOf(organization) },
    { id: `app:${day}`, of: 'this app today', ceiling: ceilingOf(app) },
  ];
}

/** The account of a session with all its delegations, or of one delegation: tokens and dollars. None where the settings set no limit on them. */
export function ownAccounts(rows: { id: string; of: string; limits: Budget }[]): NamedAccount[] {
  return rows.flatMap(({ id, of, limits: { tokens, dollars } }) =>
    tokens === null && dollars === null ? [] : [{ id, of, ceiling: { tokens, microdollars: microdollarsOf(dollars) } }],
  );
}

function runAccount(settings: Settings, bound: Bound): NamedAccount {
  const { ms: _, ...ceiling } = ceilingOf(limitsOf(settings, bound).run);
  return { id: `run:${bound.run}`, of: 'this run', ceiling };
}

function ceilingOf({ tokens, dollars, turns, toolCalls, delegations, minutes }: Budget): NamedAccount['ceiling'] {
  return {
    tokens,
    microdollars: microdollarsOf(dollars),
    turns,
    calls: toolCalls,
    delegations,
    ms: minutes === null ? null : minutes * 60_000,
  };
}

function microdollarsOf(dollars: number | null): number | null {
  return dollars === null ? null : dollars * 1_000_000;
}

let last = { minute: -1, timeZone: '', day: '' };

/** The day at a time (ms since 1970) in a time zone, as 2026-11-21. Days begin at whole minutes, and every turn asks: the last answer is kept. */
export function dayIn(now: number, timeZone: string): string {
  const minute = Math.floor(now / 60_000);
  if (minute !== last.minute || timeZone !== last.timeZone) {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    last = { minute, timeZone, day: format.format(now) };
  }
  return last.day;
}

/** How full the fullest limit is: 1 where it is used up, or where what is asked for is more than what is left. */
export interface Fullest {
  share: number;
  what: string;
}

/** The fullest of several budgets against what is asked for; null where none has a limit. Pure. */
export function fullestOf(accounts: NamedAccount[], { granted, used }: Reservation, asked: Partial<Spending>): Fullest | null {
  const rows = limitedParts(accounts, used).map(({ of, part, spent, most }) => {
    const over = spent + Math.ceil(asked[part] ?? 0) > Math.floor(most);
    const share = most === 0 || (over && !granted) ? 1 : Math.min(spent / most, granted ? 0.999 : 1);
    return { share, what: `the budget of ${of} (${shareText(part, spent, most)})` };
  });
  return rows.reduce<Fullest | null>((fullest, one) => (!fullest || one.share > fullest.share ? one : fullest), null);
}

/** What accounts have used of their limits, a line each that has one. */
export function usedLines(accounts: NamedAccount[], used: Spending[]): { of: string; text: string }[] {
  const rows = limitedParts(accounts, used);
  return [...new Set(rows.map(({ of }) => of))].map((of) => ({
    of,
    text: rows
      .filter((row) => row.of === of)
      .map(({ part, spent, most }) => shareText(part, spent, most))
      .join(', '),
  }));
}

function limitedParts(accounts: NamedAccount[], used: Spending[]) {
  return accounts.flatMap(({ of, ceiling }, at) =>
    PARTS.flatMap((part) => {
      const most = ceiling[part];
      const spent = used[at]?.[part];
      return most === null || most === undefined || spent === undefined ? [] : [{ of, part, spent, most }];
    }),
  );
}

const UNITS = { tokens: 'tokens', turns: 'turns', calls: 'tool calls', delegations: 'delegations' };

function shareText(part: keyof Spending, spent: number, most: number): string {
  if (part === 'microdollars') return `$${(spent / 1_000_000).toFixed(2)} of $${(most / 1_000_000).toFixed(2)}`;
  if (part === 'ms') return `${(spent / 60_000).toFixed(1)} of ${(most / 60_000).toFixed(1)} minutes`;
  return `${spent.toLocaleString('en-US')} of ${most.toLocaleString('en-US')} ${UNITS[part]}`;
}
