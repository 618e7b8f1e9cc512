import type { News } from '../../agent/news.ts';
import type { Account, Budgets, Spending } from '../../store/budgets.ts';
import { spendingOf } from '../../store/budgets.ts';
import type { TapedJournal } from './taped-journal.ts';

/** Budgets as one journal saw them: full where the record says that they were, and with the figures that it tells. */
export function makeTapedBudgets(journal: TapedJournal, nextNews: NextNews): Budgets {
  const nothing = () => Promise.resolve();
  return {
    reserve: (place, _, accounts) => Promise.resolve(reservationFor(toldAt(journal, place.key, nextNews), accounts)),
    settle: nothing,
    release: nothing,
    look: (accounts) => Promise.resolve(accounts.flatMap((account) => lookedUp(journal, account) ?? [])),
  };
}

/** What a conversation heard next, if it stands where it heard it. */
type NextNews = (work: string) => News | null;

function reservationFor({ refused, told }: { refused: boolean; told: string }, accounts: Account[]) {
  const found = /the budget of (.+?) \((\S+) of [^ )]+( [a-z ]+)?\)/.exec(told);
  const used = accounts.map((account) => (found && nameOf(account) === found[1] ? amountIn(found[2] ?? '', found[3]) : spendingOf([])));
  return { granted: !(refused && found), used };
}

/** What the record says of the limits of a turn, or of a delegation: that it is the last, or is refused, or that a limit is near. */
function toldAt(journal: TapedJournal, key: string, nextNews: NextNews): { refused: boolean; told: string } {
  const call = journal.tape[journal.positionOf('call.ended', key)];
  if (call?.type === 'call.ended') return { refused: call.result.error === true, told: call.result.text };
  const work = /^[^/]*\/(.*)\/\d+$/.exec(key)?.[1] ?? '';
  const { closing = null, texts = [] } = nextNews(work) ?? {};
  return { refused: closing !== null, told: closing ?? texts.join('\n') };
}

/** Null where the record does not tell. */
function lookedUp(journal: TapedJournal, account: Account): Spending | null {
  const last = journal.tape.at(-1);
  const lines = (last?.type === 'run.ended' && last.budgets) || [];
  const line = lines.find(({ of }) => of === nameOf(account));
  if (!line) return null;
  const parts = [...line.text.matchAll(/([$\d,.]+) of [$\d,.]*\d( [a-z ]+)?/g)].map(([, amount = '', unit]) => amountIn(amount, unit));
  return parts.reduce<Spending>((sum, one) => addAll(sum, one), spendingOf([]));
}

/** An account's name as people read it, which those of a run have. */
function nameOf(account: Account): unknown {
  return 'of' in account ? account.of : null;
}

function amountIn(text: string, unit: string | undefined): Spending {
  const amount = Number(text.replace(/[$,]/g, ''));
  const none = spendingOf([]);
  if (text.startsWith('$')) return { ...none, microdollars: amount * 1_000_000 };
  switch (unit?.trim()) {
    case 'minutes':
      return { ...none, ms: amount * 60_000 };
    case 'turns':
      return { ...none, turns: amount };
    case 'tool calls':
      return { ...none, calls: amount };
    case 'delegations':
      return { ...none, delegations: amount };
    default:
      return { ...none, tokens: amount };
  }
}

function addAll(a: Spending, b: Spending): Spending {
  const sum = { ...a };
  for (const [part, amount] of Object.entries(b)) sum[part as keyof Spending] += amount;
  return sum;
}
