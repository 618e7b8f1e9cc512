import type { Answered } from '../agent/conversation.ts';
import { type News, type TurnAhead, wasWarned } from '../agent/news.ts';
import { costOf, type Price } from '../journal/cost.ts';
import type { DelegationStart, RunStart } from '../journal/entry.ts';
import { type Journal, MOST_ENTRIES } from '../journal/journal.ts';
import { isLimited, type Place, type Spending } from '../store/budgets.ts';
import type { Budget } from '../workflow/settings.ts';
import { accountsOf, type Bound, type Fullest, fullestOf, limitsOf, type NamedAccount, ownAccounts } from './accounts.ts';
import { type Deadline, isGraceOver, overOf } from './deadline.ts';
import { orderFor } from './order-to-end.ts';
import { priceOf, type Services } from './services.ts';

/** Who spends: a session, an agent step or a delegation, with its own limits beside the budgets that it shares. */
export interface Spender {
  journal: Journal;
  bound: Bound;
  /** Place of the conversation in the journal. */
  key: string;
  price: Price;
  limits: Budget;
  /** Budgets of its own, and of the session it belongs to. */
  own: NamedAccount[];
}

/** A step of a run as a spender. */
export function stepSpender(
  { settings }: Services,
  { journal, start, key, price }: { journal: Journal; start: RunStart; key: string; price: Price },
): Spender {
  const limits = limitsOf(settings, start).session;
  return { journal, bound: start, key, price, limits, own: ownAccounts([sessionRow(start.run, key, limits)]) };
}

/** A delegation as a spender. What it spends its session spends too. */
export function delegationSpender(
  { settings }: Services,
  { journal, start, price }: { journal: Journal; start: DelegationStart; price: Price },
): Spender {
  const { session, delegation } = limitsOf(settings, start);
  const step = start.key.split('/').slice(0, 2).join('/');
  const own = ownAccounts([
    { id: `delegation:${start.delegation}`, of: 'this delegation', limits: delegation },
    sessionRow(start.run, step, session),
  ]);
  return { journal, bound: start, key: 'work', price, limits: delegation, own };
}

function sessionRow(run: string, key: string, limits: Budget) {
  return { id: `session:${run}:${key}`, of: 'this session', limits };
}

/** What an agent is told of its limits: nothing, a warning once at nine tenths, or the reason why this is its last turn. */
export interface LimitWord {
  warning: string | null;
  closing: string | null;
}

const WARN_AT = 0.9;
/** What an answer is reserved to have, in tokens. */
const ANSWER_TOKENS = 2_000;

/** Reserves a turn in the budgets that have a limit, and looks at the limits on turns and tool calls. Null where there is nothing to say. */
export async function limitOf(services: Services, spender: Spender, ahead: TurnAhead): Promise<LimitWord | null> {
  const { journal, key, limits } = spender;
  const accounts = (await accountsFor(services, spender)).filter(isLimited);
  const asked = estimateOf(spender, ahead);
  const reservation = await services.store.budgets.reserve(placeOf(spender, ahead.turn), asked, accounts);
  const shares: Fullest[] = [
    { what: `its limit of ${limits.turns} turns`, share: limits.turns === null ? 0 : ahead.turn / limits.turns },
    { what: `its limit of ${limits.toolCalls} tool calls`, share: limits.toolCalls === null ? 0 : ahead.calls / limits.toolCalls },
    { what: `its limit of ${MOST_ENTRIES} entries of its journal`, share: journal.entries.length / MOST_ENTRIES },
    fullestOf(accounts, reservation, asked) ?? { what: '', share: 0 },
  ];
  const fullest = shares.reduce((most, one) => (one.share > most.share ? one : most));
  if (fullest.share < WARN_AT) return null;
  if (fullest.share >= 1) return { warning: null, closing: `${fullest.what} is reached` };
  if (wasWarned(journal, key)) return null;
  return { warning: `Nine tenths of ${fullest.what} are used up: come to an end.`, closing: null };
}

function estimateOf({ price }: Spender, ahead: TurnAhead): Partial<Spending> {
  const microdollars = ahead.tokens * price.input + ANSWER_TOKENS * price.output;
  return { tokens: ahead.tokens + ANSWER_TOKENS, microdollars, turns: 1, calls: 1 };
}

function placeOf({ journal, bound, key }: Spender, turn: number): Place {
  return { run: bound.run, key: `${journal.id}/${key}/${turn}` };
}

async function accountsFor({ store, settings }: Services, { bound, own }: Spender): Promise<NamedAccount[]> {
  return [...own, ...accountsOf(settings, bound, await store.now())];
}

/** What an agent step hears before a turn: an order to end its run, its time, its limits. */
export async function hearLimits(
  services: Services,
  { spender, deadline }: { spender: Spender; deadline: Deadline | null },
  ahead: TurnAhead,
): Promise<News> {
  const order = (await orderFor(services, spender.bound.run, spender.key)) ?? (await overOf(services, deadline));
  const limit = order === null ? await limitOf(services, spender, ahead) : null;
  return newsOf({ closing: order ?? limit?.closing ?? null, warning: limit?.warning ?? null, abrupt: await isGraceOver(services, ahead) });
}

/** A limit's word as news. */
export function newsOf({ closing, warning, abrupt }: LimitWord & { abrupt: boolean }): News {
  return {
    texts: warning ? [warning] : [],
    closing,
    ...(warning ? { warned: true } : {}),
    ...(closing !== null && abrupt ? { abrupt } : {}),
  };
}

/** Settles a turn in the budgets, at the price of the model that answered. */
export async function settleTurn(services: Services, spender: Spender, turn: number, { answer, ms }: Answered): Promise<void> {
  const { input, output, cacheRead, cacheWrite } = answer.usage;
  const price = priceOf(services.settings, answer.model) ?? spender.price;
  const spent = {
    tokens: input + output + cacheRead + cacheWrite,
    microdollars: costOf(answer.usage, price) * 1_000_000,
    turns: 1,
    calls: answer.content.filter((block) => block.type === 'tool_use').length,
    ms,
  };
  await services.store.budgets.settle(placeOf(spender, turn), spent, await accountsFor(services, spender));
}
