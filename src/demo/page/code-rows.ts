import { html } from 'hono/html';
import type { PatchLine } from '../git/patch.ts';
import type { Markup } from './inline.ts';

const KINDS: Record<PatchLine['kind'], [name: string, said: string]> = {
  '+': ['added', 'added: '],
  '-': ['removed', 'removed: '],
  ' ': ['same', ''],
};

/** One line of a diff: its old and new number, its sign and its text. `mark` says that a thread is about it. */
export function codeRow(line: PatchLine, mark = false): Markup {
  const [name, said] = KINDS[line.kind];
  return html`<tr class="line ${name}${mark ? ' marked' : ''}"><td class="number">${line.old ?? ''}</td><td class="number">${line.new ?? ''}</td><td class="code"><span class="sign" aria-hidden="true">${line.kind}</span><span class="unseen">${said}</span><code>${line.text}</code></td></tr>`;
}

/** The three columns, for those who hear the table. */
export function codeHead(id: string, caption: string): Markup {
  return html`<caption class="unseen" id="${id}-caption">${caption}</caption><colgroup id="${id}-columns"><col class="narrow"><col class="narrow"><col></colgroup><thead class="unseen" id="${id}-head"><tr><th scope="col">Old line</th><th scope="col">New line</th><th scope="col">Text</th></tr></thead>`;
}
