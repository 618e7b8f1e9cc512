import { html } from 'hono/html';
import type { Account, Reaction, Repository } from '../github/state.ts';
import type { Markup } from './inline.ts';
import { standingOf } from './person-choice.ts';

const TONES = 5;

const FACES: Record<string, [face: string, word: string]> = {
  '+1': ['👍', 'thumbs up'],
  '-1': ['👎', 'thumbs down'],
  laugh: ['😄', 'laugh'],
  hooray: ['🎉', 'hooray'],
  confused: ['😕', 'confused'],
  heart: ['❤️', 'heart'],
  rocket: ['🚀', 'rocket'],
  eyes: ['👀', 'eyes'],
};

/** The round picture of an account: its first letter on a colour of its own. Says nothing to screen readers, since the name stands beside it. */
export function avatar({ login, type }: Account): Markup {
  const tone = [...login].reduce((sum, char) => sum + (char.codePointAt(0) ?? 0), 0) % TONES;
  return html`<span class="avatar tone-${tone}${type === 'Bot' ? ' avatar-app' : ''}" aria-hidden="true">${login.slice(0, 1).toUpperCase()}</span>`;
}

/** What somebody is in the repository. */
export function badge(repo: Repository, account: Account): Markup {
  const standing = standingOf(repo, account);
  return html`<span class="badge${standing === 'No write permission' ? ' badge-warn' : ''}">${standing}</span>`;
}

/** A moment, to the second, on the clock of the machine that the demo runs on. */
export function moment(at: number): Markup {
  const time = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  return html`<time datetime="${time.toISOString()}">${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}</time>`;
}

/** Reactions by kind, with who gave them. */
export function reactionRow(reactions: readonly Reaction[]): Markup {
  if (reactions.length === 0) return html``;
  const kinds = [...new Set(reactions.map(({ content }) => content))];
  const rows = kinds.map((content) => {
    const logins = reactions.filter((one) => one.content === content).map(({ author }) => author.login);
    const [face, word] = FACES[content] ?? ['•', content];
    const said = `${word}, by ${logins.join(', ')}`;
    return html`<li title="${said}"><span aria-hidden="true">${face} ${logins.length}</span><span class="unseen">${said}</span></li>`;
  });
  return html`<ul class="reactions" aria-label="Reactions">${rows}</ul>`;
}

/** One thing of a kind, or several. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
