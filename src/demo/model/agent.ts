import type { Call, Reply } from './call.ts';
import { chunksOf, planOf } from './chunk.ts';
import { bodyOf, type Finding, reviewFiles } from './finding.ts';
import { filesToRead, fillReport, instructionOf, isTold, outputOf, padsToRead, padToAppend, type Values } from './instruction.ts';
import type { PatchFile } from './patch.ts';
import { postThreads } from './threads.ts';
import { type Reading, readDiff, readFindings } from './tool-answer.ts';

const BATCH = 20;

/**
 * Plays any agent that is not a coordinator. It does what the instruction names, in a fixed order (say that it starts, read the change or the
 * scratchpads, plan, append, sort, post, submit) and reads in the conversation what of it is done already.
 */
export function directAgent(call: Call): Reply {
  if (call.done('task_completed').some((step) => !step.error)) return { text: 'Done (scripted).' };
  if (isTold(call, 'update_status') && call.done('update_status').length === 0) return announce('Scripted agent at work.');
  const text = instructionOf(call);
  const source = isTold(call, 'read_scratchpad') ? readPads(call, text) : readChange(call, text);
  if ('ask' in source) return source.ask;
  const { files, findings } = source.value;
  if (files && wantsPlan(call, text)) return finish(call, planOf(files));
  return work(call, { text, findings, files });
}

/** One `update_status`. */
export function announce(message: string): Reply {
  return { tools: [{ name: 'update_status', input: { message } }] };
}

/** Ends with `task_completed` where it is offered, else with text. */
export function finish(call: Call, message: string): Reply {
  return call.offers('task_completed') ? { tools: [{ name: 'task_completed', input: { message } }] } : { text: message };
}

interface Material {
  text: string;
  findings: Finding[];
  /** Null where the findings came from scratchpads. */
  files: PatchFile[] | null;
}

function readPads(call: Call, text: string): Reading<{ files: null; findings: Finding[] }> {
  if (outputOf(text, 'review_comments_found') === 'no') return { value: { files: null, findings: [] } };
  const pads = readFindings(call, padsToRead(text));
  return 'ask' in pads ? pads : { value: { files: null, findings: pads.value } };
}

function readChange(call: Call, text: string): Reading<{ files: PatchFile[] | null; findings: Finding[] }> {
  const wanted = isTold(call, 'get_pull_request_diff') || /\b(?:review|analy[sz]e|diff|changes?)\b/i.test(text);
  if (!call.offers('get_pull_request_diff') || !wanted || /\bAPPROVE review\b/.test(text)) return { value: { files: null, findings: [] } };
  if (isTold(call, 'submit_review') && !isTold(call, 'get_pull_request_diff')) return { value: { files: null, findings: [] } };
  const diff = readDiff(call);
  if ('ask' in diff) return diff;
  const only = wantsPlan(call, text) ? null : filesToRead(text);
  const files = only ? diff.value.filter(({ path }) => only.includes(path)) : diff.value;
  return { value: { files, findings: reviewFiles(files) } };
}

function wantsPlan(call: Call, text: string): boolean {
  const writes = ['append_scratchpad', 'add_pull_request_review_thread', 'submit_review'].some((tool) => isTold(call, tool));
  return !writes && /\bplan(?:ner|ning)?\b/i.test(text);
}

function work(call: Call, material: Material): Reply {
  const { text, findings } = material;
  const values: Values = valuesOf(material);
  if (isTold(call, 'append_scratchpad')) {
    const more = append(call, padToAppend(text), findings);
    if (more) return more;
  }
  if (isTold(call, 'write_scratchpad') && !material.files) return sortFindings(call, { text, findings, values });
  if (isTold(call, 'add_pull_request_review_thread')) {
    const posted = postThreads(call, { findings, resolve: material.files === null, batch: BATCH });
    if ('ask' in posted) return posted.ask;
    Object.assign(values, { count: posted.value.length, threads: posted.value.join(', ') });
  }
  if (isTold(call, 'submit_review')) {
    const more = submit(call, material);
    if (more) return more;
    const failed = call.done('submit_review').find((step) => step.error);
    if (failed) return finish(call, `Cannot submit review. ${failed.result ?? ''}`);
  }
  return finish(call, fillReport(text, values) ?? describe(call, material));
}

function valuesOf({ text, findings, files }: Material): Values {
  const touched = new Set(findings.map(({ file }) => file)).size;
  const read = files?.map(({ path }) => path) ?? [];
  const reported = [...text.matchAll(/\b(\d+) findings?\b/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return {
    file: read.length === 1 ? (read[0] ?? '') : `${read.length} files`,
    files: read.length,
    count: findings.length,
    importances: countImportances(findings),
    event: eventOf(text),
    N: findings.length || reported,
    M: touched,
    threads: '',
  };
}

function append(call: Call, name: string, findings: Finding[]): Reply | null {
  const written = call.done('append_scratchpad').map((step) => String(step.input.content));
  const rows = findings.map((finding) => `${JSON.stringify(finding)}\n`);
  const missing = rows.filter((row) => !written.includes(row)).slice(0, BATCH);
  if (missing.length === 0) return null;
  return { tools: missing.map((content) => ({ name: 'append_scratchpad', input: { name, content } })) };
}

/** Deletes what is trivial, writes the rest as chunks, looks whether they are there, reports. */
function sortFindings(call: Call, { text, findings, values }: { text: string; findings: Finding[]; values: Values }): Reply {
  const kept = findings.filter(({ importance }) => importance !== 'nit');
  const chunks = chunksOf(kept);
  const names = chunks.map((_, at) => `review-chunk${at + 1}`);
  const written = call.done('write_scratchpad').map((step) => step.input.name);
  const missing = names.filter((name) => !written.includes(name));
  if (missing.length) {
    const content = (name: string) => (chunks[names.indexOf(name)] ?? []).map((finding) => JSON.stringify(finding)).join('\n');
    return { tools: missing.map((name) => ({ name: 'write_scratchpad', input: { name, content: content(name) } })) };
  }
  if (names.length && isTold(call, 'list_scratchpads') && call.done('list_scratchpads').length === 0)
    return { tools: [{ name: 'list_scratchpads', input: {} }] };
  const counts = { k: kept.length, m: 0, d: findings.length - kept.length, c: chunks.length };
  const outputs = {
    chunks_created: chunks.length ? 'yes' : 'no',
    total_chunks: chunks.length,
    kept_findings: kept.length,
    chunk_names: names.join(', '),
  };
  const short = `kept=${counts.k} merged=${counts.m} dropped=${counts.d} chunks=${counts.c}`;
  return finish(call, [short, fillReport(text, { ...values, ...counts, ...outputs }) ?? rowsOf(outputs)].join('\n'));
}

function rowsOf(outputs: Values): string {
  return Object.entries(outputs)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');
}

function submit(call: Call, material: Material): Reply | null {
  if (call.done('submit_review').length) return null;
  return { tools: [{ name: 'submit_review', input: { event: eventOf(material.text), body: summaryOf(material) } }] };
}

function eventOf(text: string): string {
  return /\bevent\W+APPROVE\b/.test(text) ? 'APPROVE' : 'COMMENT';
}

function summaryOf({ text, findings }: Material): string {
  const given = /\bbody:?\s*'([^'\n]+)'/.exec(text)?.[1];
  const reported = [...text.matchAll(/^.*\b\d+ findings?\b.*$/gm)].map(([row]) => `- ${row.replace(/^[-*\s]+/, '')}`);
  const rules = [...new Set(findings.filter(({ importance }) => importance !== 'nit').map(({ title }) => title))].slice(0, 5);
  const parts = [
    given,
    findings.length ? `## Review summary\n\n${findings.length} findings: ${countImportances(findings)}.` : '',
    rules.length ? `Themes: ${rules.join('; ')}.\n\nPlease go through the threads, the most important first.` : '',
    findings.length === 0 && reported.length ? `## Review summary\n\n${reported.join('\n')}` : '',
    '_This review is scripted: fixed rules looked at the changed lines, no language model did. Set ANTHROPIC_API_KEY for a real one._',
  ];
  return parts.filter(Boolean).join('\n\n');
}

function countImportances(findings: Finding[]): string {
  const kinds = ['blocker', 'major', 'minor', 'nit'] as const;
  const counts = kinds.map((kind) => ({ kind, count: findings.filter(({ importance }) => importance === kind).length }));
  return (
    counts
      .filter(({ count }) => count > 0)
      .map(({ kind, count }) => `${count} ${kind.toUpperCase()}`)
      .join(', ') || 'none'
  );
}

/** An answer for people where the instruction gave no form. */
function describe(call: Call, { findings, files }: Material): string {
  if (!files) return 'Scripted answer: no language model is connected, so this task was taken and nothing was decided.';
  const posted = call.done('add_pull_request_review_thread').length;
  const rows = posted ? [] : findings.map((finding) => `- ${finding.file}:${finding.line ?? 'file'} (${finding.side}) ${bodyOf(finding)}`);
  return [`Scripted review: ${files.length} files - ${findings.length} findings (${countImportances(findings)}).`, ...rows].join('\n');
}
