import { ignoredBy } from '../workflow/ignore.ts';
import { type RunRules, SEVERITIES, type Severity } from '../workflow/settings.ts';
import type { Finding } from './finding.ts';

/** A finding that is not posted because settings say so: for good (`suppressed`), or because others come first (`deferred`). */
export interface Withheld {
  finding: Finding;
  how: 'suppressed' | 'deferred';
  why: string;
}

/** Words by which prompts, published ones too, say how serious a finding is. */
const WORDS: Record<string, Severity> = {
  ...{ blocker: 'critical', critical: 'critical', major: 'major', minor: 'minor' },
  ...{ nit: 'info', nitpick: 'info', suggestion: 'info', praise: 'info', info: 'info' },
};

/** How serious a finding says that it is, by the first word of its text ("[MAJOR]: ...", "**Minor**", "nit: ..."); null where it says nothing. */
export function severityOf({ body }: Pick<Finding, 'body'>): Severity | null {
  const [, word = ''] = /^(?:\s*\[Re:[^\]]*\])?[^\p{L}]{0,12}(\p{L}+)\s*(?:[\]:)]|[*_])/u.exec(body) ?? [];
  return WORDS[word.toLowerCase()] ?? null;
}

/** Those findings of a draft that its run's rules leave out. The same draft and rules always give the same answer. */
export function withheldIn(findings: readonly Finding[], rules: Pick<RunRules, 'ignore' | 'severityFloor' | 'maxFindings'>): Withheld[] {
  const { maxFindings } = rules;
  const open = findings.filter(({ posted }) => !posted);
  const suppressed = open.flatMap((finding): Withheld[] => {
    const why = whySuppressed(finding, rules);
    return why === null ? [] : [{ finding, how: 'suppressed', why }];
  });
  if (maxFindings === null) return suppressed;
  const room = maxFindings - findings.filter(({ posted }) => posted && !posted.earlier).length;
  const left = open.filter((finding) => !suppressed.some((one) => one.finding === finding));
  const why = `more than ${maxFindings} (the setting maxFindings)`;
  const late = left.toSorted((a, b) => rankOf(b) - rankOf(a)).slice(Math.max(0, room));
  return [...suppressed, ...late.map((finding) => ({ finding, how: 'deferred' as const, why }))];
}

function whySuppressed(finding: Finding, { ignore, severityFloor }: Pick<RunRules, 'ignore' | 'severityFloor'>): string | null {
  const rule = ignoredBy(ignore, finding.path);
  if (rule !== null) return `its file is ignored by ${rule} (the setting ignore)`;
  const severity = severityOf(finding);
  if (severity === null || SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(severityFloor)) return null;
  return `${severity} is below ${severityFloor} (the setting severityFloor)`;
}

/** One that does not say how serious it is comes before minor ones. */
function rankOf(finding: Finding): number {
  return SEVERITIES.indexOf(severityOf(finding) ?? 'major');
}
