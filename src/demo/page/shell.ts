import { html, raw } from 'hono/html';
import { badge, count } from './byline.ts';
import type { Markup } from './inline.ts';
import { hiddenFields, type Screen } from './screen.ts';
import { sidebar } from './sidebar.ts';

/** The views of a pull request, by the end of their address. */
export type Tab = 'conversation' | 'files' | 'checks';

const DOCTYPE = raw('<!doctype html>');

/** A whole page: who somebody is, what is real, the pull request's head and tabs, one view, and what stands beside it. */
export function pullPage(screen: Screen, view: { tab: Tab; content: Markup }): Markup {
  const { item } = screen.pull;
  const main = html`<div class="columns"><main id="content" tabindex="-1">${pullHead(screen)}${tabs(screen, view.tab)}<div id="view" data-live>${view.content}</div></main>
<aside id="side" aria-label="Checks and things to try" data-live>${sidebar(screen)}</aside></div>`;
  return document(`${item.title} #${item.number}`, html`${topBar(screen)}${notice(screen)}${main}`, item.number);
}

/** A page that only says something, with the way back. */
export function plainPage(title: string, text: string, back: string): Markup {
  return document(
    title,
    html`<main id="content" class="lonely card" tabindex="-1"><h1>${title}</h1><p>${text}</p><p><a href="${back}">Back to the pull request</a></p></main>`,
    null,
  );
}

function document(title: string, body: Markup, number: number | null): Markup {
  const watched = number === null ? '' : html` data-pull="${number}"`;
  return html`${DOCTYPE}<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title} · Pitwall demo</title><link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/style.css"><script src="/script.js" defer></script></head>
<body${watched}><a class="skip" href="#content">Skip to the pull request</a>${body}<div class="toast" id="news" role="status" aria-live="polite"></div></body></html>`;
}

function topBar(screen: Screen): Markup {
  const { repo } = screen.pull;
  const choices = screen.parts.map(
    ({ login, name }) =>
      html`<button class="part" name="part" value="${login}" id="part-${name}" aria-pressed="${login === screen.part.login ? 'true' : 'false'}"><span class="part-login">${login}</span> <span class="part-name">${name}</span></button>`,
  );
  return html`<header class="top"><p class="brand"><a href="/">Pitwall <span>demo</span></a></p><p class="repo">${repo.fullName}</p><p class="live" id="live" hidden>live</p>
<form method="post" action="/part" class="parts" aria-label="Who you are">${hiddenFields(screen)}<input type="hidden" name="back" value="${screen.address}"><span class="parts-label" aria-hidden="true">You are</span>${choices}</form></header>`;
}

function notice({ scripted, app }: Screen): Markup {
  const model = scripted
    ? html`<strong>The reviewer is scripted</strong>: fixed rules look at the changed lines, and no language model reads them. Its answers are slowed down so that you can watch. With <code>ANTHROPIC_API_KEY</code> set, a model reviews.`
    : html`<strong>The reviewer is a language model</strong>, asked with the key in <code>ANTHROPIC_API_KEY</code>.`;
  return html`<section class="notice" aria-label="What is real here"><p><strong>This GitHub is a double</strong> on your machine; it forgets everything at Ctrl-C, and its people and commits are prepared. ${model} Pitwall, which signs in as <strong>${app}</strong> and does the rest, is the real one.</p></section>`;
}

function pullHead({ pull: { repo, item, commits } }: Screen): Markup {
  const { author, pull, number, title } = item;
  const state = pull.mergedAt === null ? item.state : 'merged';
  return html`<div class="pull-head" id="pull-head"><h1>${title} <span class="quiet">#${number}</span></h1><p><span class="state state-${state}">${state}</span> <strong>${author.login}</strong> ${badge(repo, author)} wants to merge ${count(commits.length, 'commit')} into <code>${pull.baseRef}</code> from <code>${pull.headRef}</code></p></div>`;
}

function tabs({ address, pull }: Screen, tab: Tab): Markup {
  const link = (name: Tab, label: string, number: number) => {
    const current = name === tab ? html` aria-current="page"` : '';
    return html`<li><a href="${address}${name === 'conversation' ? '' : `/${name}`}" id="tab-${name}"${current}>${label} <span class="figure">${number}</span></a></li>`;
  };
  const { entries, threads, diff, checks } = pull;
  const said = entries.filter(({ kind }) => kind !== 'commit').length + threads.length;
  return html`<nav class="tabs" id="tabs" aria-label="Views of the pull request"><ul>${link('conversation', 'Conversation', said)}${link('files', 'Files', diff.files.length)}${link('checks', 'Checks', checks.length)}</ul></nav>`;
}
