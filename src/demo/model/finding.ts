import type { PatchFile, PatchLine } from './patch.ts';
import { type Importance, isGenerated, lineRule, type Rule } from './rule.ts';
import { LINE_RULES } from './rules-line.ts';
import { READING_RULES } from './rules-reading.ts';
import { SHAPE_RULES } from './rules-shape.ts';

/** A remark on a change, in the shape that the published review playbook asks for. `line` is null for a remark on the whole file. */
export interface Finding {
  file: string;
  importance: Importance;
  title: string;
  message: string;
  suggested_fix: string;
  line: number | null;
  side: 'LEFT' | 'RIGHT';
  snippet: string;
  rule: string;
}

const RULES: Rule[] = [...LINE_RULES.map(lineRule), ...SHAPE_RULES, ...READING_RULES];
const ORDER: Importance[] = ['blocker', 'major', 'minor', 'nit'];
const PER_RULE = 3;
const PER_FILE = 12;
const NITS_PER_FILE = 5;
const NITS_IN_ALL = 10;

/** How many rules there are. */
export const RULE_COUNT = RULES.length;

/**
 * Reviews files by the rules, the most important findings of each file first: one finding a line, at most 3 of a rule, 5 nits and 12 in all in a file, and
 * 10 nits over all files.
 */
export function reviewFiles(files: PatchFile[]): Finding[] {
  const all = files.filter(({ path }) => !isGenerated(path)).flatMap(reviewFile);
  const tooMany = new Set(all.filter(({ importance }) => importance === 'nit').slice(NITS_IN_ALL));
  return all.filter((finding) => !tooMany.has(finding));
}

/** Where a finding stands, for telling two apart. */
export function placeOf(finding: Pick<Finding, 'file' | 'line' | 'side'>): string {
  return `${finding.file}\n${finding.side}\n${finding.line ?? ''}`;
}

/** One finding for each place: the first. */
export function uniqueFindings(findings: Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => !seen.has(placeOf(finding)) && seen.add(placeOf(finding)));
}

/** A finding's text for people. Every one says that it is scripted. */
export function bodyOf(finding: Finding): string {
  const fix = finding.suggested_fix ? `\n\n**Suggestion:** ${finding.suggested_fix}` : '';
  return `[${finding.importance.toUpperCase()}]: ${finding.message}${fix}`;
}

function reviewFile(file: PatchFile): Finding[] {
  const all = RULES.flatMap((rule) =>
    rule
      .find(file)
      .slice(0, PER_RULE)
      .map((line) => describe(file, rule, line)),
  );
  const ordered = all.sort((a, b) => ORDER.indexOf(a.importance) - ORDER.indexOf(b.importance));
  const unique = uniqueFindings(ordered);
  const nits = unique.filter(({ importance }) => importance === 'nit').slice(0, NITS_PER_FILE);
  return [...unique.filter(({ importance }) => importance !== 'nit'), ...nits].slice(0, PER_FILE);
}

function describe(file: PatchFile, rule: Rule, line: PatchLine | null): Finding {
  return {
    file: file.path,
    importance: rule.importance,
    title: rule.title,
    message: `**${rule.title}.** ${rule.message} _(scripted rule \`${rule.id}\`: no language model read this change)_`,
    suggested_fix: rule.fix,
    line: (line?.kind === '-' ? line.old : line?.new) ?? null,
    side: line?.kind === '-' ? 'LEFT' : 'RIGHT',
    snippet: line?.text.trim().slice(0, 100) ?? '',
    rule: rule.id,
  };
}
