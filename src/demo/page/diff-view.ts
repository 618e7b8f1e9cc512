import { html } from 'hono/html';
import type { FileDiff } from '../git/diff.ts';
import { type Hunk, type PatchLine, parsePatch } from '../git/patch.ts';
import { count } from './byline.ts';
import { codeHead, codeRow } from './code-rows.ts';
import { fileAnchor } from './file-anchor.ts';
import type { Markup } from './inline.ts';
import type { ThreadView } from './pull-view.ts';
import type { Screen } from './screen.ts';
import { threadBox } from './thread.ts';

/** A file with more changed lines than this is shown folded. */
const FOLDED_LINES = 1_000;

/** The view of a pull request where every changed file is shown, with the threads under the lines that they are about. */
export function filesView(screen: Screen): Markup {
  const { files } = screen.pull.diff;
  const [added, removed] = [files.reduce((sum, file) => sum + file.additions, 0), files.reduce((sum, file) => sum + file.deletions, 0)];
  const boxes = files.map((file) => fileBox(screen, file));
  return html`<h2 class="unseen" id="files-title">Files changed</h2>
<p class="files-sum" id="files-sum">${count(files.length, 'file')}: ${changedLines(added, removed)}</p>
<div class="files" id="files" data-live>${boxes}</div>`;
}

function changedLines(added: number, removed: number): Markup {
  return html`<span class="plus">+${added}<span class="unseen"> lines added</span></span> <span class="minus">−${removed}<span class="unseen"> lines removed</span></span>`;
}

function fileBox(screen: Screen, file: FileDiff): Markup {
  const id = fileAnchor(file.path);
  const threads = screen.pull.threads.filter(({ root }) => root.place.path === file.path);
  const whole = threads.filter(({ root }) => root.place.subject === 'file');
  const open = file.additions + file.deletions <= FOLDED_LINES;
  const top = whole.map((thread) => threadBox(screen, thread, { withCode: false, level: 4 }));
  const moved = file.oldPath ? html`<span class="quiet">${file.oldPath} → </span>` : '';
  const told = threads.length > 0 ? html`<span class="badge">${count(threads.length, 'thread')}</span>` : '';
  const summary = html`<summary id="${id}-name"><h3>${moved}${file.path}</h3><span class="file-facts">${told} <span class="quiet">${file.status}</span> ${changedLines(file.additions, file.deletions)}</span></summary>`;
  return html`<details class="file" id="${id}" data-live${open ? html` open` : ''}>${summary}<div class="file-threads" id="${id}-threads" data-live>${top}</div>${patchTable(screen, file, threads)}</details>`;
}

function patchTable(screen: Screen, file: FileDiff, threads: ThreadView[]): Markup {
  const id = fileAnchor(file.path);
  const hunks = parsePatch(file.patch);
  if (hunks.length === 0)
    return html`<p class="quiet no-text" id="${id}-table">${file.binary ? 'A binary file: its content is not shown.' : 'No changed lines.'}</p>`;
  const onLines = threads.filter(({ root }) => root.place.subject === 'line' && root.place.line !== null);
  const bodies = hunks.map((hunk, at) => hunkRows(screen, hunk, { id: `${id}-hunk-${at}`, threads: onLines }));
  return html`<table class="diff" id="${id}-table" data-live>${codeHead(`${id}-table`, `Changes in ${file.path}`)}${bodies}</table>`;
}

/** Lines between two threads are one group, so that a thread that comes or grows leaves everything else as it is. */
function hunkRows(screen: Screen, hunk: Hunk, at: { id: string; threads: ThreadView[] }): Markup[] {
  const groups: Markup[] = [html`<tbody id="${at.id}"><tr class="hunk"><td colspan="3">${hunk.header}</td></tr></tbody>`];
  let rows: Markup[] = [];
  const close = (key: string) => {
    if (rows.length > 0) groups.push(html`<tbody id="${at.id}-to-${key}">${rows}</tbody>`);
    rows = [];
  };
  for (const line of hunk.lines) {
    const here = at.threads.filter(({ root }) => standsOn(line, root.place));
    rows.push(codeRow(line, here.length > 0));
    if (here.length === 0) continue;
    close(String(line.position));
    const boxes = here.map((thread) => threadBox(screen, thread, { withCode: false, level: 4 }));
    groups.push(
      html`<tbody id="${at.id}-on-${line.position}" data-live><tr id="${at.id}-row-${line.position}" data-live><td colspan="3" class="thread-cell" id="${at.id}-cell-${line.position}" data-live>${boxes}</td></tr></tbody>`,
    );
  }
  close('end');
  return groups;
}

function standsOn(line: PatchLine, place: { side: 'LEFT' | 'RIGHT'; line: number | null }): boolean {
  return (
    place.line !== null && (place.side === 'LEFT' ? line.old : line.new) === place.line && line.kind !== (place.side === 'LEFT' ? '+' : '-')
  );
}
