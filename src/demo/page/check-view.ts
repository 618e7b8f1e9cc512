import { html } from 'hono/html';
import type { CheckRun } from '../github/state.ts';
import { moment } from './byline.ts';
import type { Markup } from './inline.ts';
import { renderMarkdown } from './markdown.ts';
import { mayWrite } from './person-choice.ts';
import { hiddenFields, type Screen } from './screen.ts';

const SIGNS: Record<string, string> = { success: '✓', failure: '✕', timed_out: '✕', cancelled: '⊘', neutral: '–', skipped: '–' };

/** The view of a pull request where every check run is told in full, newest commit first. */
export function checksView(screen: Screen): Markup {
  const { checks } = screen.pull;
  const boxes = checks.map((run) => checkBox(screen, run));
  const none = html`<p class="card quiet" id="no-checks">No check has reported yet.</p>`;
  return html`<h2 class="unseen" id="checks-heading">Checks</h2><div class="checks" id="checks" data-live>${boxes.length > 0 ? boxes : none}</div>`;
}

/** How the check runs of the newest commit stand, in a few lines with their buttons. */
export function checkSummary(screen: Screen): Markup {
  const { checks, item } = screen.pull;
  const rows = checks.filter((run) => run.sha === item.pull.headSha).map((run) => checkLine(screen, run));
  const none = html`<li class="quiet" id="no-check-lines">No check on the newest commit yet.</li>`;
  return html`<ul class="plain" id="check-lines" data-live>${rows.length > 0 ? rows : none}</ul>`;
}

function checkLine(screen: Screen, run: CheckRun): Markup {
  const title = run.output.title ?? stateOf(run);
  return html`<li id="check-line-${run.id}"><p class="check-name">${sign(run)} <a href="${screen.address}/checks#check-${run.id}">${run.name}</a></p><p class="quiet">${title}</p>${buttons(screen, run, 'line')}</li>`;
}

function checkBox(screen: Screen, run: CheckRun): Markup {
  const { id, name, sha, output, startedAt, completedAt } = run;
  const times = html`started ${moment(startedAt)}${completedAt === null ? '' : html`, ended ${moment(completedAt)}`}`;
  const summary = output.summary ? renderMarkdown(output.summary, { level: 4 }) : '';
  const text = output.text ? renderMarkdown(output.text, { level: 4 }) : '';
  const remarks = run.annotations.map((annotation) => html`<li>${annotationLine(annotation)}</li>`);
  return html`<article class="card" id="check-${id}" aria-labelledby="check-${id}-name"><h3 class="check-name" id="check-${id}-name">${sign(run)} ${name}</h3>
<p class="quiet">${output.title ?? ''} · ${stateOf(run)} · <code class="sha">${sha.slice(0, 7)}</code>, ${times}</p>${summary}${text}${remarks.length > 0 ? html`<ul>${remarks}</ul>` : ''}${buttons(screen, run, 'box')}</article>`;
}

function annotationLine(annotation: Record<string, unknown>): Markup {
  const { path, start_line: line, annotation_level: level, message } = annotation;
  return html`<code>${String(path)}:${String(line)}</code> ${String(level)}: ${String(message)}`;
}

function stateOf({ status, conclusion }: CheckRun): string {
  return (conclusion ?? status).replaceAll('_', ' ');
}

function sign(run: CheckRun): Markup {
  const state = run.status === 'completed' ? (run.conclusion ?? 'neutral') : 'running';
  return html`<span class="check-sign check-${state}" aria-hidden="true">${state === 'running' ? '' : (SIGNS[state] ?? '–')}</span><span class="unseen">${stateOf(run)}:</span>`;
}

/** GitHub shows buttons to people with write permission only; "Re-run" is there once a run has ended. */
function buttons(screen: Screen, run: CheckRun, where: string): Markup {
  const rerun =
    run.status === 'completed' ? [{ identifier: '', label: 'Re-run', description: 'Ask the app for this check once more' }] : [];
  const all = [...run.actions, ...rerun];
  if (all.length === 0) return html``;
  if (!mayWrite(screen.pull.repo, screen.part.login)) return html`<p class="hint">Its buttons are for people with write permission.</p>`;
  const shown = all.map(
    ({ identifier, label, description }) =>
      html`<button class="button small" name="button" value="${identifier}" id="check-${where}-${run.id}-${identifier}" title="${description}">${label}<span class="unseen"> (${run.name}: ${description})</span></button>`,
  );
  return html`<form method="post" action="${screen.address}/press" data-post class="buttons">${hiddenFields(screen)}<input type="hidden" name="check" value="${run.id}">${shown}<p class="problem" role="alert"></p></form>`;
}
