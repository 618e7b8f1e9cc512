import type { PatchFile, PatchLine } from './patch.ts';
import { addedOf, codeOf, isTest, PYTHON, type Rule, SCRIPT, SOURCE } from './rule.ts';

const LARGE = 400;

/** Rules that look at several lines, at deleted ones, or at a file as a whole. */
export const SHAPE_RULES: Rule[] = [
  {
    id: 'removed-check',
    importance: 'major',
    title: 'A check was removed',
    message: 'This line refused bad input or a missing value, and nothing in the new text takes its place.',
    fix: 'Put the check back, or say where it is made now.',
    find: findRemovedChecks,
  },
  {
    id: 'swallowed-error',
    importance: 'major',
    title: 'Error swallowed',
    message: 'Whatever goes wrong here, nobody will know: the error is neither handled nor passed on nor logged.',
    fix: 'Handle the case that is expected, and let all others through.',
    find: findSwallowedErrors,
  },
  {
    id: 'missing-await',
    importance: 'major',
    title: 'Promise not awaited',
    message: 'The work is started and left alone: what follows runs before it is done, and its failure is an unhandled rejection.',
    fix: 'Await it, or handle its failure at this place.',
    find: findMissingAwaits,
  },
  {
    id: 'unguarded-parse',
    importance: 'minor',
    title: 'Text that is no JSON throws here',
    message: 'JSON.parse throws on anything that is not JSON, and what it returns has any shape.',
    fix: 'Catch the failure with a message that names the source, and check the shape of the result.',
    find: findUnguardedParses,
  },
  {
    id: 'unbounded-parallel',
    importance: 'minor',
    title: 'As many at once as there are items',
    message: 'A long list opens that many connections or files at the same time.',
    fix: 'Work through the list in batches.',
    find: (file) =>
      SCRIPT.test(file.path) ? addedOf(file).filter(({ text }) => /Promise\.all(?:Settled)?\(\s*[\w.]+\.map\(/.test(text)) : [],
  },
  {
    id: 'many-parameters',
    importance: 'minor',
    title: 'Many parameters in a row',
    message: 'At the place of the call nobody sees which value is which, and two of the same type are easily swapped.',
    fix: 'Take one object with named fields.',
    find: (file) => (SOURCE.test(file.path) ? addedOf(file).filter(({ text }) => countParameters(text) > 4) : []),
  },
  {
    id: 'binary-file',
    importance: 'minor',
    title: 'Binary file added',
    message: 'It cannot be reviewed as text, and every version of it stays in the history of the repository.',
    fix: 'Check that it belongs here; keep large or generated files outside, or in Git LFS.',
    find: (file) => (file.binary && file.added ? [null] : []),
  },
  {
    id: 'large-file',
    importance: 'minor',
    title: 'Large file added',
    message: `More than ${LARGE} lines arrive in one file, which is more than a reviewer can keep in mind.`,
    fix: 'Split it by subject, or say that it is generated.',
    find: (file) => (file.added && !file.binary && file.lines.length > LARGE ? [null] : []),
  },
];

const CHECK =
  /^\s*(?:\}?\s*(?:else\s+)?if\s*\(?.*(?:![\w(]|[!=]==?\s*(?:null|undefined|None|nil|false)|\bis\s+None|\bnot\s|\.length\b|isNaN|isInteger|isArray|typeof|instanceof|[<>]|\bvalid|\ballowed|\bcan[A-Z])|(?:await\s+)?(?:[\w.]*\b)?(?:assert|validate|sanitize|authori[sz]e|authenticate|verify|require(?:Role|Auth|User|Permission|Login)|check|ensure)\w*\s*\()/i;

/** A run of deleted lines is one removed check: its first line that looks like one. A check that comes back anywhere in the file was moved. */
function findRemovedChecks(file: PatchFile): PatchLine[] {
  if (!SOURCE.test(file.path) || isTest(file.path)) return [];
  const added = new Set(addedOf(file).map(({ text }) => squeeze(text)));
  const gone = file.lines.filter((line, at) => line.kind === '-' && isCheck(file, at) && !added.has(squeeze(line.text)));
  return gone.filter((line, at) => (gone[at - 1]?.old ?? -9) < (line.old ?? 0) - 2).filter((line) => !replacedBySimilar(file, line));
}

/** A line that looks like a check, or an `if` that leaves at once. */
function isCheck(file: PatchFile, at: number): boolean {
  const code = codeOf(file.lines[at]?.text ?? '');
  const next = file.lines[at + 1];
  const leaves = next?.kind === '-' && /^\s*(?:throw|return|raise)\b/.test(next.text);
  return CHECK.test(code) || (/^\s*if\b/.test(code) && (leaves || /\)\s*\{?\s*(?:throw|return)\b/.test(code)));
}

function squeeze(text: string): string {
  return text.replace(/[\s;{}]/g, '');
}

/** An edited check: an added line of the same hunk that is itself a check and shares half of the words. */
function replacedBySimilar(file: PatchFile, gone: PatchLine): boolean {
  const words = wordsOf(gone.text);
  return file.lines.some((line) => {
    if (line.kind !== '+' || line.hunk !== gone.hunk || !CHECK.test(codeOf(line.text))) return false;
    const shared = wordsOf(line.text).filter((word) => words.includes(word));
    return shared.length >= words.length / 2;
  });
}

function wordsOf(text: string): string[] {
  return text.match(/\w{2,}/g) ?? [];
}

function findSwallowedErrors(file: PatchFile): PatchLine[] {
  if (PYTHON.test(file.path)) return followedBy(file, /^\s*except\b.*:\s*(?:pass)?\s*$/, /^\s*pass\b/);
  if (!SOURCE.test(file.path)) return [];
  const rejections = addedOf(file).filter(({ text }) =>
    /\.catch\(\s*\(?\w*\)?\s*=>\s*(?:\{\s*\}|null|undefined|void 0|false)\s*\)/.test(codeOf(text)),
  );
  return [...followedBy(file, /\bcatch\b\s*(?:\([^)]*\))?\s*\{\s*(?:\}.*)?$/, /^\s*\}/), ...rejections];
}

/** Added lines that match, and are whole by themselves or whose next line with code in the new text matches `next`. */
function followedBy(file: PatchFile, opening: RegExp, next: RegExp): PatchLine[] {
  const rows = file.lines.filter(({ kind }) => kind !== '-');
  return rows.filter((row, at) => {
    const code = codeOf(row.text);
    if (row.kind !== '+' || !opening.test(code)) return false;
    if (/\}\s*\S*\s*$/.test(code.slice(code.search(/\bcatch\b/))) || /:\s*pass\s*$/.test(code)) return true;
    const after = rows.slice(at + 1).find(({ text }) => codeOf(text).trim() !== '');
    return after !== undefined && next.test(after.text);
  });
}

const PROMISING =
  /^\s*(?:this\.)?(?:[\w$]+\.)*(?:fetch|\w+Async|(?:save|persist|commit|rollback|publish|sendMail|sendEmail|insertOne|updateOne|deleteOne|findOne)\w*)\(.*\)?;?\s*$/;

/** Statements that call something that answers a promise: by a telling name, or because the same name is awaited or declared async in this change. */
function findMissingAwaits(file: PatchFile): PatchLine[] {
  if (!SCRIPT.test(file.path)) return [];
  const shown = file.lines.filter(({ kind }) => kind !== '-').map(({ text }) => codeOf(text));
  const awaited = new Set(shown.flatMap((text) => [...text.matchAll(/\bawait\s+([\w$.]+)\(/g)].map(([, name]) => name ?? '')));
  const declared = new Set(
    shown.flatMap((text) =>
      [...text.matchAll(/\basync\s+(?:function\s+)?([\w$]+)\s*[(<]|\b([\w$]+)\s*=\s*async\b/g)].map(([, a, b]) => a ?? b ?? ''),
    ),
  );
  return addedOf(file).filter(({ text }) => {
    const code = codeOf(text);
    const name = /^\s*((?:[\w$]+\.)*[\w$]+)\(.*;\s*$/.exec(code)?.[1];
    if (!name || name === 'expect' || /\.(?:then|catch|finally)\(|\)\s*:\s*[\w{]/.test(code)) return false;
    return awaited.has(name) || declared.has(name.replace(/^this\./, '')) || PROMISING.test(code);
  });
}

function findUnguardedParses(file: PatchFile): PatchLine[] {
  if (!SCRIPT.test(file.path) || isTest(file.path)) return [];
  const rows = file.lines.filter(({ kind }) => kind !== '-');
  return rows.filter(({ kind, text }, at) => {
    if (kind !== '+' || !/\bJSON\.parse\(/.test(codeOf(text)) || /JSON\.parse\(JSON\.stringify/.test(text)) return false;
    return !rows.slice(Math.max(0, at - 4), at + 1).some((row) => /\btry\b/.test(codeOf(row.text)));
  });
}

function countParameters(text: string): number {
  const list = /\b(?:function\b[^(]*|def\s+\w+|func\b[^(]*|(?:async|static|public|private|protected)\s+\w+)\(([^)]*)\)/.exec(
    codeOf(text),
  )?.[1];
  return list
    ? list
        .replace(/<[^>]*>|\{[^}]*\}|\[[^\]]*\]/g, '')
        .split(',')
        .filter((part) => part.trim() !== '').length
    : 0;
}
