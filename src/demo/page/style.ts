/** The one stylesheet: two themes by the system's choice, one column on narrow screens, no movement for those who want none. */
export const STYLE = `:root {
  color-scheme: light dark;
  --page: #f5f6f4;
  --card: #ffffff;
  --inset: #f3f5f3;
  --line: #d9ded9;
  --text: #1d2321;
  --quiet: #56605c;
  --accent: #0b6b61;
  --accent-text: #ffffff;
  --accent-soft: #e0f0ec;
  --warn-soft: #fbeecf;
  --warn-text: #6b4700;
  --plus: #dff3e2;
  --plus-text: #17692c;
  --minus: #fbe4e2;
  --minus-text: #a3231b;
  --shadow: 0 1px 2px rgb(20 30 26 / 6%);
  --mono: ui-monospace, SFMono-Regular, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111513;
    --card: #191e1c;
    --inset: #222826;
    --line: #333b38;
    --text: #e6eae7;
    --quiet: #a3aea9;
    --accent: #5cc8b8;
    --accent-text: #08201c;
    --accent-soft: #17352f;
    --warn-soft: #3d3113;
    --warn-text: #f2d488;
    --plus: #15301d;
    --plus-text: #7fd696;
    --minus: #3b1d1b;
    --minus-text: #ff9c92;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
h1, h2, h3, h4, h5, h6, p, ul, ol, pre, blockquote, table { margin: 0; }
h1 { font-size: 1.6rem; line-height: 1.25; font-weight: 650; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1rem; font-weight: 650; }
h3, h4, h5, h6 { font-size: 0.95rem; font-weight: 600; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code, pre, .place { font-family: var(--mono); font-size: 0.86em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0; }
.quiet { color: var(--quiet); font-weight: 400; }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 3; padding: 0.5rem 1rem; background: var(--accent); color: var(--accent-text); border-radius: 0 0 8px 8px; }
.skip:focus { top: 0; }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; padding: 0.65rem clamp(0.75rem, 3vw, 2rem); background: var(--card); border-bottom: 1px solid var(--line); }
.brand a { color: var(--text); font-weight: 700; text-decoration: none; letter-spacing: -0.01em; }
.brand span { color: var(--accent); font-weight: 600; }
.repo { color: var(--quiet); font-size: 0.9rem; overflow-wrap: anywhere; }
.live { font-size: 0.8rem; color: var(--quiet); }
.live::before { content: ''; display: inline-block; width: 0.5rem; height: 0.5rem; margin-right: 0.4rem; border-radius: 50%; background: var(--plus-text); }
.live.lost::before { background: var(--minus-text); }
.parts { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem; margin-left: auto; }
.parts-label { color: var(--quiet); font-size: 0.85rem; margin-right: 0.35rem; }
.part { font: inherit; font-size: 0.85rem; padding: 0.25rem 0.7rem; min-height: 2rem; border: 1px solid var(--line); border-radius: 999px; background: transparent; color: var(--text); cursor: pointer; }
.part .part-name { color: var(--quiet); }
.part[aria-pressed='true'] { background: var(--accent); border-color: var(--accent); color: var(--accent-text); font-weight: 600; }
.part[aria-pressed='true'] .part-name { color: var(--accent-text); font-weight: 400; }
.part:hover { border-color: var(--accent); }
.notice { background: var(--accent-soft); border-bottom: 1px solid var(--line); padding: 0.55rem clamp(0.75rem, 3vw, 2rem); font-size: 0.88rem; }
.notice p { max-width: 78rem; margin: 0 auto; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem; max-width: 82rem; margin: 0 auto; padding: 1.5rem clamp(0.75rem, 3vw, 2rem) 5rem; }
@media (min-width: 64rem) {
  .columns { grid-template-columns: minmax(0, 1fr) 19rem; gap: 2rem; }
  aside { position: sticky; top: 1rem; align-self: start; max-height: calc(100vh - 2rem); overflow-y: auto; }
}
.pull-head { display: grid; gap: 0.6rem; margin-bottom: 1rem; }
.state { display: inline-block; padding: 0.1rem 0.7rem; margin-right: 0.25rem; border-radius: 999px; font-size: 0.85rem; font-weight: 600; background: var(--plus); color: var(--plus-text); text-transform: capitalize; }
.state-closed { background: var(--minus); color: var(--minus-text); }
.state-merged { background: var(--accent-soft); color: var(--accent); }
.tabs { border-bottom: 1px solid var(--line); margin-bottom: 1.25rem; }
.tabs ul { display: flex; flex-wrap: wrap; gap: 0.25rem; padding: 0; list-style: none; }
.tabs a { display: block; padding: 0.5rem 0.9rem; color: var(--quiet); text-decoration: none; border-bottom: 2px solid transparent; margin-bottom: -1px; }
.tabs a:hover { color: var(--text); }
.tabs a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--accent); }
.figure { font-size: 0.8rem; padding: 0.05rem 0.45rem; border-radius: 999px; background: var(--line); color: var(--text); font-weight: 400; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.1rem; box-shadow: var(--shadow); }
.timeline, .plain, .remarks, .reactions, .tries { list-style: none; padding: 0; }
.timeline { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; margin-bottom: 1.5rem; }
.byline { display: flex; flex-wrap: wrap; align-items: center; gap: 0.2rem 0.45rem; font-size: 0.92rem; font-weight: 400; margin-bottom: 0.5rem; }
.avatar { display: inline-grid; place-items: center; width: 1.75rem; height: 1.75rem; border-radius: 50%; color: #fff; font-size: 0.8rem; font-weight: 700; }

.tone-0 { background: #0f6b62; } .tone-1 { background: #8a4b12; } .tone-2 { background: #4a55a8; } .tone-3 { background: #93365f; } .tone-4 { background: #3c6b1f; }
.avatar-app { border-radius: 7px; background: var(--accent); color: var(--accent-text); }
.badge { font-size: 0.74rem; font-weight: 500; line-height: 1.4; padding: 0.05rem 0.5rem; border: 1px solid var(--line); border-radius: 999px; color: var(--quiet); white-space: nowrap; }
.badge-warn { background: var(--warn-soft); color: var(--warn-text); border-color: transparent; }
.commit { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.2rem 0.6rem; padding: 0 1.1rem; font-size: 0.9rem; overflow-wrap: anywhere; }
.commit-text { flex: 1 1 12rem; min-width: 0; }
.dot { width: 0.6rem; height: 0.6rem; border-radius: 50%; border: 2px solid var(--accent); }
.sha { padding: 0.05rem 0.4rem; border-radius: 6px; background: var(--inset); color: var(--quiet); }
.markdown { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.6rem; overflow-wrap: anywhere; }
.markdown p, .markdown li { white-space: pre-line; }
.markdown ul, .markdown ol { padding-left: 1.4rem; }
.markdown ul { list-style: disc; }
.markdown :not(pre) > code { padding: 0.1em 0.35em; border-radius: 5px; background: var(--inset); }
.markdown pre { padding: 0.7rem 0.9rem; border-radius: 8px; background: var(--inset); white-space: pre-wrap; overflow-wrap: anywhere; }
.markdown blockquote { padding-left: 0.9rem; border-left: 3px solid var(--line); color: var(--quiet); }
.markdown table { border-collapse: collapse; font-size: 0.9rem; width: fit-content; max-width: 100%; }
.markdown th, .markdown td { padding: 0.3rem 0.7rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
.markdown td:first-child { white-space: nowrap; overflow-wrap: normal; }
.markdown hr { width: 100%; border: 0; border-top: 1px solid var(--line); }
.markdown small { color: var(--quiet); font-size: 0.78rem; }
.code-label { font-size: 0.8rem; color: var(--quiet); }
.reactions { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-top: 0.7rem; }
.reactions li { padding: 0.05rem 0.6rem; border: 1px solid var(--line); border-radius: 999px; font-size: 0.85rem; background: var(--inset); }
.threads { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.9rem; margin-top: 0.9rem; }
.threads:empty { display: none; }
.thread { border: 1px solid var(--line); border-radius: 10px; background: var(--card); overflow: hidden; }
.thread-head { display: flex; flex-wrap: wrap; gap: 0.25rem 0.6rem; align-items: center; justify-content: space-between; padding: 0.45rem 0.9rem; background: var(--inset); border-bottom: 1px solid var(--line); }
.place { color: var(--text); font-weight: 500; text-decoration: none; overflow-wrap: anywhere; }
.place:hover { text-decoration: underline; }
.remark { padding: 0.8rem 0.9rem; }
.remark + .remark { border-top: 1px solid var(--line); }
.reply { border-top: 1px solid var(--line); background: var(--inset); padding: 0.45rem 0.9rem; }
.reply summary { cursor: pointer; color: var(--accent); font-size: 0.88rem; font-weight: 500; width: fit-content; }
.reply form { padding: 0.5rem 0 0.4rem; }
.diff { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 0.86rem; }
.diff td { vertical-align: top; padding: 0; }
.diff .narrow { width: 2.9rem; }
.diff .number { padding: 0.05rem 0.5rem 0.05rem 0; text-align: right; color: var(--quiet); font: 0.76rem/1.9 var(--mono); user-select: none; }
.diff .code { white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; padding: 0 0.5rem 0 1.3rem; text-indent: -1.3rem; line-height: 1.6; }
.diff .code code { font-size: 0.84rem; }
.sign { display: inline-block; width: 1.3rem; text-align: center; text-indent: 0; color: var(--quiet); font-family: var(--mono); user-select: none; }
.added { background: var(--plus); } .removed { background: var(--minus); }
.added .number, .added .sign { color: var(--plus-text); } .removed .number, .removed .sign { color: var(--minus-text); }
.marked .number:first-child { box-shadow: inset 3px 0 var(--accent); }
.excerpt { border-bottom: 1px solid var(--line); }
.hunk td { padding: 0.3rem 0.9rem; background: var(--inset); color: var(--quiet); font: 0.78rem/1.6 var(--mono); overflow-wrap: anywhere; }
.diff .thread-cell { padding: 0.7rem clamp(0.5rem, 2vw, 1.2rem); background: var(--page); border-block: 1px solid var(--line); }
.thread-cell .thread + .thread { margin-top: 0.7rem; }
.files { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.1rem; }
.files-sum { margin-bottom: 0.9rem; color: var(--quiet); }
.plus { color: var(--plus-text); font-weight: 600; } .minus { color: var(--minus-text); font-weight: 600; }
.file { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; box-shadow: var(--shadow); }
.file > summary { display: flex; flex-wrap: wrap; gap: 0.2rem 0.8rem; align-items: center; justify-content: space-between; padding: 0.6rem 0.9rem; cursor: pointer; background: var(--inset); list-style: none; }
.file > summary h3 { font: 600 0.88rem/1.5 var(--mono); overflow-wrap: anywhere; }
.file > summary h3::before { content: '▸'; display: inline-block; width: 1.1rem; color: var(--quiet); }
.file[open] > summary h3::before { content: '▾'; }
.file[open] > summary { border-bottom: 1px solid var(--line); }
.file-facts { font-size: 0.85rem; }
.file-threads { display: grid; gap: 0.7rem; padding: 0.7rem; }
.file-threads:empty { display: none; }
.no-text { padding: 0.8rem 0.9rem; }
label { display: block; font-size: 0.88rem; font-weight: 500; margin-bottom: 0.3rem; }
textarea { width: 100%; padding: 0.6rem 0.75rem; font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--quiet); border-radius: 8px; resize: vertical; }
.comment-form h2 { margin-bottom: 0.5rem; }
.hint { font-size: 0.84rem; color: var(--quiet); margin-top: 0.35rem; }
.problem { color: var(--minus-text); font-size: 0.88rem; }
.problem:not(:empty) { margin-top: 0.4rem; }
.form-foot { display: flex; justify-content: flex-end; margin-top: 0.5rem; }
.button { font: inherit; font-size: 0.9rem; font-weight: 500; padding: 0.4rem 1rem; min-height: 2.2rem; border: 1px solid var(--line); border-radius: 8px; background: var(--inset); color: var(--text); cursor: pointer; }
.button:hover { border-color: var(--accent); }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-text); }
.button.small { font-size: 0.84rem; padding: 0.2rem 0.7rem; min-height: 2rem; }
[aria-busy='true'] .button { opacity: 0.6; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-top: 0.6rem; }
aside { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; font-size: 0.9rem; }
aside h2 { margin-bottom: 0.5rem; }
.plain { display: grid; gap: 0.5rem; overflow-wrap: anywhere; }
.plain a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
.tries { display: grid; gap: 0.9rem; }
.tries form { margin-top: 0.35rem; }
.side-by-side { display: flex; flex-wrap: wrap; gap: 0 0.4rem; }
.done { color: var(--quiet); margin-top: 0.25rem; }
.checks { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
.checks .card { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.7rem; }
.check-name { display: flex; align-items: center; gap: 0.5rem; font-weight: 600; }
.check-sign { display: inline-grid; place-items: center; flex: none; width: 1.25rem; height: 1.25rem; border-radius: 50%; font-size: 0.75rem; font-weight: 700; background: var(--inset); color: var(--quiet); }
.markdown .check-sign { width: 1.15rem; height: 1.15rem; vertical-align: text-bottom; margin-right: 0.2rem; }
.check-success { background: var(--plus); color: var(--plus-text); }
.check-failure, .check-timed_out { background: var(--minus); color: var(--minus-text); }
.check-running { background: none; border: 2.5px solid var(--line); border-top-color: var(--accent); animation: turn 1s linear infinite; }
@keyframes turn { to { rotate: 360deg; } }
.toast { position: fixed; z-index: 2; right: 1rem; bottom: 1rem; max-width: calc(100vw - 2rem); padding: 0.6rem 1rem; border-radius: 10px; background: var(--text); color: var(--page); font-size: 0.9rem; opacity: 0; pointer-events: none; transition: opacity 0.2s; }
.toast.shown { opacity: 1; }
.lonely { max-width: 34rem; margin: 4rem auto; display: grid; gap: 0.8rem; }
@media (max-width: 40rem) {
  body { font-size: 14.5px; }
  h1 { font-size: 1.3rem; }
  .parts { margin-left: 0; width: 100%; }
  .parts-label { width: 100%; }
  .diff .narrow { width: 2.1rem; }
  .diff .number { padding-right: 0.3rem; }
  .card { padding: 0.8rem; }
  .tabs a { padding: 0.5rem 0.6rem; }
  .remark, .reply, .thread-head { padding-inline: 0.7rem; }
  .markdown td:first-child { white-space: normal; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; scroll-behavior: auto !important; }
}
@media (forced-colors: active) {
  .part[aria-pressed='true'] { border-width: 3px; }
}
`;
