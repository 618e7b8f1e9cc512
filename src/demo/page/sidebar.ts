import { html } from 'hono/html';
import { checkSummary } from './check-view.ts';
import type { Markup } from './inline.ts';
import { hiddenFields, type Screen } from './screen.ts';

/** What stands beside a pull request: its checks, what can be done next, and the pull requests that there are. */
export function sidebar(screen: Screen): Markup {
  return html`<section class="card" aria-labelledby="checks-title" id="side-checks" data-live><h2 id="checks-title">Checks</h2>${checkSummary(screen)}</section>
<section class="card" aria-labelledby="tries-title" id="side-tries" data-live><h2 id="tries-title">Things to try</h2><ol class="tries" id="tries" data-live>${tries(screen)}</ol></section>
<nav class="card" aria-labelledby="pulls-title" id="side-pulls" data-live><h2 id="pulls-title">Pull requests</h2><ul class="plain" id="pulls" data-live>${pullLinks(screen)}</ul></nav>`;
}

function pullLinks({ pulls, pull, address }: Screen): Markup[] {
  const base = address.slice(0, address.lastIndexOf('/'));
  return pulls.map(({ number, title }) => {
    const current = number === pull.item.number ? html` aria-current="page"` : '';
    return html`<li id="pull-${number}"><a href="${base}/${number}"${current}>#${number} ${title}</a></li>`;
  });
}

function tries(screen: Screen): Markup[] {
  const { parts, part, app } = screen;
  const stranger = parts.find(({ name }) => name === 'stranger')?.login ?? part.login;
  return [
    html`<li id="try-review"><p>Ask for one more review and watch it come.</p>${quickComment(screen, 'review')}</li>`,
    html`<li id="try-end"><p>While it runs, end it: in order, with what is found so far, or at once.</p><div class="side-by-side">${quickComment(screen, 'done')}${quickComment(screen, 'cancel')}</div></li>`,
    html`<li id="try-talk"><p>Ask questions: this starts a conversation that stays open. Comment what you want to know, again and again; <code>/done</code> ends it.</p><div class="side-by-side">${quickComment(screen, 'ask')}</div></li>`,
    html`<li id="try-buttons"><p>Press a button of the check above. While it runs: <strong>Cancel</strong>, and once something is found <strong>Post now</strong>. When it has ended: <strong>Retry</strong> and <strong>Re-run</strong>.</p></li>`,
    html`<li id="try-push"><p>Push the next commit: it mends five faults and brings two new ones. Threads on changed lines become outdated.</p>${prepared(screen, 'push')}</li>`,
    html`<li id="try-second"><p>Open a second pull request: it is reviewed from the start while you look.</p>${prepared(screen, 'open')}</li>`,
    html`<li id="try-stranger"><p>Be <strong>${stranger}</strong> at the top and try the same: words are shown, commands get a confused face and are not obeyed, and checks have no buttons.</p></li>`,
    html`<li id="try-why"><p>Ask what started, what did not, and why; what runs; what else can be said.</p><div class="side-by-side">${quickComment(screen, 'why')}${quickComment(screen, 'status')}${quickComment(screen, 'help')}</div></li>`,
    html`<li id="try-reply"><p>Reply in one of the threads of ${app}.</p></li>`,
  ];
}

function quickComment(screen: Screen, command: string): Markup {
  return html`<form method="post" action="${screen.address}/comment" data-post>${hiddenFields(screen)}<input type="hidden" name="body" value="/${command}"><button class="button small" id="try-${command}-send">Comment <code>/${command}</code></button><p class="problem" role="alert"></p></form>`;
}

function prepared(screen: Screen, action: 'push' | 'open'): Markup {
  const { next, second } = screen.prepared;
  if (action === 'push' && next.pushed) return html`<p class="done">Pushed to <code>${next.branch}</code>.</p>`;
  if (action === 'open' && second.number !== null) return html`<p class="done">Open as #${second.number}.</p>`;
  const label = action === 'push' ? 'Push the next commit' : 'Open the second pull request';
  return html`<form method="post" action="${screen.address}/${action}" data-post>${hiddenFields(screen)}<button class="button small" id="${action}-send">${label}</button><p class="problem" role="alert"></p></form>`;
}
