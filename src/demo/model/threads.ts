import type { Call, Reply } from './call.ts';
import { bodyOf, type Finding } from './finding.ts';
import { lookUpLine, type Reading, threadIdOf } from './tool-answer.ts';

/**
 * Posts each finding as a thread, once: at its line where that can be commented on, else on its file, and for a file that is not in the change on the
 * first one that is. Reads the ids of the threads at the end.
 */
export function postThreads(call: Call, work: { findings: Finding[]; resolve: boolean; batch: number }): Reading<string[]> {
  const ask = work.resolve ? resolveLines(call, work.findings) : null;
  if (ask) return { ask };
  const steps = call.done('add_pull_request_review_thread');
  const attempts = (finding: Finding) =>
    steps.filter((step) => String(step.input.body).includes(bodyOf(finding)) && matches(step.input, finding));
  const missing = work.findings.filter((finding) => {
    const tried = attempts(finding);
    return tried.length < 2 && !tried.some((step) => step.result !== null && !step.error);
  });
  if (missing.length) {
    const tools = missing.slice(0, work.batch).map((finding) => {
      const input = threadOf(call, { finding, findings: work.findings, again: attempts(finding).length > 0 });
      return { name: 'add_pull_request_review_thread', input };
    });
    return { ask: { tools } };
  }
  return { value: steps.filter((step) => !step.error).map(threadIdOf) };
}

function resolveLines(call: Call, findings: Finding[]): Reply | null {
  const tool = 'get_pull_request_diff_line_numbers';
  if (!call.offers(tool)) return null;
  const asked = call.done(tool).map((step) => step.input.path);
  const paths = [...new Set(findings.map(({ file }) => file))].filter((path) => !asked.includes(path));
  return paths.length ? { tools: paths.map((path) => ({ name: tool, input: { path } })) } : null;
}

function matches(input: Record<string, unknown>, { file, line }: Finding): boolean {
  if (String(input.body).startsWith(`[Re: ${file}] `)) return true;
  return input.path === file && (input.line === undefined || line === null || input.line === line);
}

function threadOf(
  call: Call,
  { finding, findings, again }: { finding: Finding; findings: Finding[]; again: boolean },
): Record<string, unknown> {
  const { file, line, side } = finding;
  const body = bodyOf(finding);
  const resolved = (path: string) => call.done('get_pull_request_diff_line_numbers').find((step) => step.input.path === path);
  const known = lookUpLine(resolved(file), finding);
  if (known === 'none') {
    const first = findings.find((other) => lookUpLine(resolved(other.file), other) !== 'none')?.file ?? file;
    return { path: first, line: 1, side: 'RIGHT', body: `[Re: ${file}] ${body}` };
  }
  return line === null || known === 'no' || again ? { path: file, body } : { path: file, line, side, body };
}
