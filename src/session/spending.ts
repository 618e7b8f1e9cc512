import { type News, type TurnAhead, wasWarned } from '../agent/news.ts';
import type { Answer } from '../journal/answer.ts';
import { costOf, type Price } from '../journal/cost.ts';
import type { Journal } from '../journal/journal.ts';
import type { Budget } from '../workflow/settings.ts';
import { type Deadline, isGraceOver, overOf } from './deadline.ts';
import { orderFor } from './order-to-end.ts';
import type { Services } from './services.ts';

/** Who spends: a session, an agent step or a delegation, with its own limits beside those of its run. */
export interface Spender {
  journal: Journal;
  run: string;
  /** Place of the conversation in the journal. */
  key: string;
  price: Price;
  limits: Budget;
}

/** What an agent is told of its limits: nothing, a warning once at nine tenths, or the reason why this is its last turn. */
export interface LimitWord {
  warning: string | null;
  closing: string | null;
}

const WARN_AT = 0.9;
/** What an answer is reserved to have, in tokens. */
const ANSWER_TOKENS = 2_000;

/** Reserves a turn in the run's budget, and looks at the limits on turns and tool calls. Null where there is nothing to say. */
export async function limitOf({ store, settings }: Services, spender: Spender, ahead: TurnAhead): Promise<LimitWord | null> {
  const { journal, run, key, price, limits } = spender;
  const tokens = ahead.tokens + ANSWER_TOKENS;
  const microdollars = ahead.tokens * price.input + ANSWER_TOKENS * price.output;
  const whole = settings.limits.run;
  const allowed = { tokens: whole.tokens, microdollars: whole.dollars === null ? null : whole.dollars * 1_000_000 };
  const state = await store.budgets.reserve(run, `${journal.id}/${key}/${ahead.turn}`, { tokens, microdollars }, allowed);
  const shares = [
    { what: `${limits.turns} turns`, share: limits.turns === null ? 0 : ahead.turn / limits.turns },
    { what: `${limits.toolCalls} tool calls`, share: limits.toolCalls === null ? 0 : ahead.calls / limits.toolCalls },
    { what: 'the budget of this run', share: state.granted ? Math.min(state.share, 0.999) : 1 },
  ].sort((a, b) => b.share - a.share);
  const [fullest] = shares;
  if (!fullest || fullest.share < WARN_AT) return null;
  if (fullest.share >= 1) return { warning: null, closing: `its limit of ${fullest.what} is reached` };
  if (wasWarned(journal, key)) return null;
  return { warning: `Nine tenths of ${fullest.what} are used up: come to an end.`, closing: null };
}

/** What an agent step hears before a turn: an order to end its run, its time, its limits. */
export async function hearLimits(
  services: Services,
  { spender, deadline }: { spender: Spender; deadline: Deadline | null },
  ahead: TurnAhead,
): Promise<News> {
  const order = (await orderFor(services, spender.run, spender.key)) ?? (await overOf(services, deadline));
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

/** Settles a turn in the run's budget. */
export async function settleTurn(
  { store }: Services,
  { journal, run, key, price }: Spender,
  turn: number,
  { usage }: Answer,
): Promise<void> {
  const tokens = usage.input + usage.output + usage.cacheRead + usage.cacheWrite;
  await store.budgets.settle(run, `${journal.id}/${key}/${turn}`, { tokens, microdollars: costOf(usage, price) * 1_000_000 });
}
