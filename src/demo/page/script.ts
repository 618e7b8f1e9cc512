/**
 * What makes the page live, as plain script in a file of its own: it hears of changes, asks the server for the page again and puts what differs in the
 * place of what was there. What somebody is typing, what is unfolded and where the keyboard is stay as they are. Without it every form works as a form.
 */
export const SCRIPT = `'use strict';
const body = document.body;
const news = document.getElementById('news');
const live = document.getElementById('live');
const still = matchMedia('(prefers-reduced-motion: reduce)');
const waiting = [];
let asked = false;
let busy = false;
let hiding;

function tell(text) {
  news.textContent = text;
  news.classList.toggle('shown', text !== '');
  clearTimeout(hiding);
  hiding = setTimeout(() => news.classList.remove('shown'), 4000);
}

function keepInput(from, to) {
  for (const field of from.querySelectorAll('textarea[id]')) {
    const fresh = to.querySelector('#' + CSS.escape(field.id));
    if (fresh) fresh.value = field.value;
  }
  const told = from.querySelector('.problem:not(:empty)');
  const place = told && to.querySelector('.problem');
  if (place) place.textContent = told.textContent;
}

function merge(from, to) {
  if (from.tagName === 'DETAILS') to.open = from.open;
  if (from.isEqualNode(to)) return;
  if (!from.hasAttribute('data-live') || from.tagName !== to.tagName) {
    for (const folded of from.querySelectorAll('details[id]')) {
      const fresh = to.querySelector('#' + CSS.escape(folded.id));
      if (fresh) fresh.open = folded.open;
    }
    keepInput(from, to);
    from.replaceWith(to);
    return;
  }
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  let at = from.firstElementChild;
  for (const child of [...to.children]) {
    const known = child.id ? [...from.children].find((one) => one.id === child.id) : null;
    if (!known) {
      from.insertBefore(child, at);
      if (!still.matches) child.animate([{ opacity: 0, translate: '0 8px' }, { opacity: 1, translate: '0 0' }], { duration: 350, easing: 'ease-out' });
    } else {
      if (known === at) at = at.nextElementSibling;
      else from.insertBefore(known, at);
      merge(known, child);
    }
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

async function refresh() {
  if (busy) {
    asked = true;
    return;
  }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const focus = document.activeElement;
    const { id, selectionStart, selectionEnd } = focus;
    for (const part of ['pull-head', 'tabs', 'view', 'side']) {
      const [from, to] = [document.getElementById(part), fresh.getElementById(part)];
      if (from && to) merge(from, to);
    }
    if (id && !focus.isConnected) {
      const again = document.getElementById(id);
      again?.focus({ preventScroll: true });
      if (again?.tagName === 'TEXTAREA') again.setSelectionRange(selectionStart, selectionEnd);
    }
    const sentences = [...new Set(waiting.splice(0).filter(Boolean))];
    if (sentences.length > 0) tell(sentences.join(' '));
  } finally {
    busy = false;
    if (asked) {
      asked = false;
      setTimeout(refresh, 100);
    }
  }
}

async function send(form, button) {
  const data = new URLSearchParams(new FormData(form, button));
  const complain = (text) => {
    const now = form.isConnected ? form : document.getElementById(button?.id)?.closest('form');
    if (now) now.querySelector('.problem').textContent = text;
  };
  form.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(form.action, { method: 'POST', body: data, headers: { 'x-live': '1' } });
    const result = await answer.json();
    complain(answer.ok ? '' : result.problem);
    if (!answer.ok) return;
    if (result.go) {
      location.assign(result.go);
      return;
    }
    for (const field of form.querySelectorAll('textarea')) field.value = '';
    const folded = form.closest('details.reply');
    if (folded) {
      folded.open = false;
      folded.querySelector('summary').focus();
    }
    await refresh();
  } catch {
    complain('The demo does not answer: is it still running in the terminal?');
  } finally {
    form.removeAttribute('aria-busy');
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.hasAttribute('data-post')) return;
  event.preventDefault();
  if (form.getAttribute('aria-busy') !== 'true') send(form, event.submitter);
});

document.addEventListener('keydown', (event) => {
  const form = event.target.closest?.('form[data-post]');
  if (form && event.target.tagName === 'TEXTAREA' && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

if (body.dataset.pull) {
  const source = new EventSource('/events?pull=' + body.dataset.pull);
  source.addEventListener('open', () => {
    live.hidden = false;
    live.textContent = 'live';
    live.classList.remove('lost');
    refresh();
  });
  source.addEventListener('error', () => {
    live.hidden = false;
    live.textContent = 'not connected';
    live.classList.add('lost');
  });
  source.addEventListener('message', (event) => {
    waiting.push(JSON.parse(event.data));
    refresh();
  });
  addEventListener('pagehide', () => source.close());
}
`;
