import type { PatchFile, PatchLine } from './patch.ts';
import { ANY_CODE, addedOf, codeOf, isTest, type LineRule, lineRule, type Rule, SCRIPT, SOURCE } from './rule.ts';

const WIDE = 120;
const LONG_SENTENCE = 45;
const DENSE_PATTERN = 80;

const PROSE = /\.(?:md|mdx|markdown|rst|adoc|txt)$/i;
const CONFIGURATION = /(?:\.(?:ya?ml|toml|json)|(?:^|\/)(?:Dockerfile|Containerfile|requirements[\w-]*\.txt))$/;
const HAND_WRITTEN = new RegExp(`${ANY_CODE.source}|${PROSE.source}`);

/** Rules about how a change reads: prose, configuration and tests as well as code. All of them are of little weight. */
export const READING_RULES: Rule[] = [
  ...(
    [
      {
        id: 'unpinned',
        importance: 'minor',
        title: 'What this runs can change on its own',
        message: 'The name stands for whatever was published last, so the same commit can behave differently tomorrow.',
        fix: 'Name a fixed version; for a workflow action or an image, the commit or the digest.',
        in: CONFIGURATION,
        see: 'text',
        pattern:
          /^\s*-?\s*uses:\s*[\w.-]+\/[\w./-]+@(?![0-9a-f]{40}\b)\S+|^\s*(?:FROM|image:)\s+(?!scratch\b)[\w./-]+(?::latest)?\s*(?:AS\b.*)?$|"(?:latest|\*)"\s*,?\s*$/i,
      },
      {
        id: 'skipped-test',
        importance: 'minor',
        title: 'A test that does not always run',
        message: 'What it protects is unprotected wherever it is skipped, and a skipped test looks like a passed one.',
        fix: 'Run it, or say in its name when and why it is skipped.',
        in: SOURCE,
        see: 'code',
        pattern: /\b(?:it|test|describe)\.(?:skip|todo|skipIf|runIf|fails)\b|\bx(?:it|describe|test)\s*\(|@(?:pytest\.mark|unittest)\.skip/,
      },
      {
        id: 'weak-assertion',
        importance: 'nit',
        title: 'Says little when it fails',
        message: 'Many wrong values pass here as well, and the message of a failure does not show what came instead.',
        fix: 'Compare with the value that is expected.',
        in: SOURCE,
        see: 'code',
        pattern: /\.(?:toBeTruthy|toBeFalsy|toBeDefined|not\.toBeNull|not\.toThrow)\(\)|\bassert\.ok\(|\bassertTrue\(/,
      },
      {
        id: 'nested-choice',
        importance: 'nit',
        title: 'A choice inside of a choice',
        message: 'Two conditional expressions in one line have to be taken apart before they can be read.',
        fix: 'Use `if`, a table, or a function with early returns.',
        in: SCRIPT,
        see: 'code',
        pattern: /\s\?\s.+\s:\s.+\s\?\s.+\s:\s/,
        unless: /\bextends\b/,
      },
      {
        id: 'crowded-condition',
        importance: 'nit',
        title: 'Many conditions at once',
        message: 'Three or more connections in one line: nobody checks all the cases by looking.',
        fix: 'Give the parts names, or split the decision.',
        in: SOURCE,
        see: 'code',
        pattern: /(?:&&|\|\||\band\b|\bor\b)(?:.*(?:&&|\|\||\band\b|\bor\b)){2}/,
      },
      {
        id: 'filler-word',
        importance: 'nit',
        title: 'A word that tells the reader nothing',
        message: 'Who finds it hard feels addressed, who finds it easy has gained nothing.',
        fix: 'Leave the word out, or say what is meant.',
        in: PROSE,
        see: 'text',
        pattern: /\b(?:simply|obviously|basically|of course|easily|trivially|needless to say|and so on|etc\.)(?!\w)/i,
      },
      {
        id: 'ageing-word',
        importance: 'nit',
        title: 'Will not stay true',
        message: 'The sentence depends on when it is read, and nobody will come back to change it.',
        fix: 'Name the version or the date, or describe what is there.',
        in: PROSE,
        see: 'text',
        pattern: /\b(?:currently|at the moment|recently|soon|for now|not yet|in the future|nowadays)\b/i,
      },
    ] satisfies LineRule[]
  ).map(lineRule),
  {
    id: 'undocumented-export',
    importance: 'nit',
    title: 'Used elsewhere, explained nowhere',
    message: 'This can be used from other files, and its name is all that its users are told.',
    fix: 'Say in one sentence above it what it is for and what it promises.',
    find: findUndocumented,
  },
  {
    id: 'dense-pattern',
    importance: 'nit',
    title: 'Pattern that cannot be checked by reading',
    message: `A regular expression of over ${DENSE_PATTERN} characters hides its mistakes.`,
    fix: 'Put it together from named parts, or show in tests what it takes and what it refuses.',
    find: (file) =>
      SCRIPT.test(file.path) && !isTest(file.path)
        ? addedOf(file).filter(
            ({ text }) => PATTERN.exec(text)?.[1] !== undefined && (PATTERN.exec(text)?.[1] ?? '').length > DENSE_PATTERN,
          )
        : [],
  },
  {
    id: 'long-sentence',
    importance: 'nit',
    title: 'Long sentence',
    message: `Over ${LONG_SENTENCE} words before the first full stop: most people read it twice.`,
    fix: 'Make two sentences of it, or a list.',
    find: findLongSentences,
  },
  {
    id: 'crowded-sentence',
    importance: 'nit',
    title: 'Many parts in one sentence',
    message: 'Commas, brackets and dashes hold this together; what the sentence is about gets lost between them.',
    fix: 'Make a list of it, or several sentences.',
    find: (file) => (PROSE.test(file.path) ? addedOf(file).filter(({ text }) => isCrowded(text)) : []),
  },
  {
    id: 'wide-line',
    importance: 'nit',
    title: 'Wide line',
    message: `Over ${WIDE} characters: side by side, the diff view shows the beginning only. In code, only the first one of a file is named.`,
    fix: 'Break it.',
    find(file) {
      if (!HAND_WRITTEN.test(file.path)) return [];
      const wide = addedOf(file).filter(({ text }) => isWide(text));
      return PROSE.test(file.path) ? wide : wide.slice(0, 1);
    },
  },
  {
    id: 'trailing-space',
    importance: 'nit',
    title: 'Space at the end of the line',
    message: 'Nobody sees it, editors take it away, and it comes back as a change that means nothing.',
    fix: 'Remove it.',
    find: (file) =>
      HAND_WRITTEN.test(file.path)
        ? addedOf(file).filter(({ text }) => /[ \t]+$/.test(text) && !(PROSE.test(file.path) && /\S {2}$/.test(text)))
        : [],
  },
];

const PATTERN = /(?:^|[\s=(,:[!&|?;{}])\/(?![/*\s])((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+)\/[dgimsuvy]*(?=[\s.,;)\]}]|$)/;

/** A line of words; a row of a table, an address or a long word cannot be broken. */
function isWide(text: string): boolean {
  return text.length > WIDE && !/^\s*\|/.test(text) && (text.trim().match(/\s+/g) ?? []).length > 4;
}

/** A sentence, or what of it stands in this line, with four or more signs that part it; tables and code aside. */
function isCrowded(text: string): boolean {
  const sentences = text.replace(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, 'x').split(/(?<=[.!?:])\s/);
  return !/^\s*\|/.test(text) && sentences.some((sentence) => (sentence.match(/[,;(\u2013\u2014]/g) ?? []).length >= 4);
}

/** Exported declarations whose line before, as far as the change shows it, is no comment. */
function findUndocumented(file: PatchFile): PatchLine[] {
  if (!SCRIPT.test(file.path) || isTest(file.path)) return [];
  const rows = file.lines.filter(({ kind }) => kind !== '-');
  return rows.filter((row, at) => {
    if (row.kind !== '+' || !/^export (?:default )?(?:async |abstract )?(?:function|class|interface)\b/.test(codeOf(row.text)))
      return false;
    const before = rows[at - 1];
    return before ? !/^\s*(?:\*\/|\/\/|\/\*|@)|\*\/\s*$/.test(before.text) : row.new === 1;
  });
}

/** The first line of a sentence that goes on for too long, over the added lines that follow each other. */
function findLongSentences(file: PatchFile): PatchLine[] {
  if (!PROSE.test(file.path)) return [];
  const found: PatchLine[] = [];
  let [start, words]: [PatchLine | null, number] = [null, 0];
  for (const line of addedOf(file)) {
    const breaks = /^\s*(?:$|[#>|`*+-]|\d+\.\s)/.test(line.text) || (start !== null && line.hunk !== start.hunk);
    if (breaks) [start, words] = [null, 0];
    for (const part of line.text.split(/(?<=[.!?:;])\s+/)) {
      start ??= line;
      words += (part.match(/\S+/g) ?? []).length;
      if (words > LONG_SENTENCE && found.at(-1) !== start) found.push(start);
      if (/[.!?:;]$/.test(part)) [start, words] = [null, 0];
    }
  }
  return found;
}
