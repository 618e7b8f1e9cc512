import { html } from 'hono/html';
import type { PullItem } from '../github/state.ts';
import type { Markup } from './inline.ts';
import type { Part } from './person-choice.ts';
import type { PullView } from './pull-view.ts';

/** What is still prepared: whether the next commit was pushed, and the number of the second pull request once it is open. */
export interface PreparedState {
  next: { branch: string; message: string; pushed: boolean };
  second: { title: string; number: number | null };
}

/** Everything that one view of the page is made from. `address` is the pull request's own; `token` proves that a form is ours. */
export interface Screen {
  pull: PullView;
  pulls: PullItem[];
  address: string;
  part: Part;
  parts: readonly Part[];
  token: string;
  prepared: PreparedState;
  /** Whether fixed rules answer instead of a language model. */
  scripted: boolean;
  app: string;
}

/** What every form carries. */
export function hiddenFields({ token }: Screen): Markup {
  return html`<input type="hidden" name="token" value="${token}">`;
}
