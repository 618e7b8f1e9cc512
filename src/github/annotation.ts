import type { Annotation } from '../journal/effect.ts';
import { cleanCode } from './clean.ts';
import type { Writer } from './writer.ts';

/** What GitHub takes in one request. */
const BATCH = 50;
const MESSAGE_LIMIT = 4_000;

const LIST = 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations';
const UPDATE = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}';

/** An annotation as GitHub takes it and lists it. */
interface AnnotationRow {
  path: string;
  start_line: number;
  end_line: number;
  start_column?: number | null;
  end_column?: number | null;
  annotation_level: string;
  message: string;
}

/**
 * Adds annotations to a check run, 50 a request, each once: where a request may have been carried out, those that stand already are read first. The
 * check's state stays; `output` is the text that GitHub wants with each request. Answers why GitHub refuses, or null.
 */
export async function annotateCheck(
  writer: Writer,
  subject: { check: number; output: { title: string; summary: string }; annotations: readonly Annotation[] },
): Promise<string | null> {
  const { check, output } = subject;
  const rows = [...new Map(subject.annotations.map(toRow).map((row) => [nameOf(row), row])).values()];
  if (rows.length === 0) return null;
  const missing = async (of: AnnotationRow[]) => {
    const standing = new Set(((await writer.list<AnnotationRow>(LIST, { check_run_id: check })) ?? []).map(nameOf));
    return of.filter((row) => !standing.has(nameOf(row)));
  };
  const left = writer.resumed ? await missing(rows) : rows;
  for (let start = 0; start < left.length; start += BATCH) {
    const batch = left.slice(start, start + BATCH);
    const reply = await writer.settle<unknown>({
      act: () => writer.write(UPDATE, { check_run_id: check, output: { ...output, annotations: batch } }, { content: false }),
      look: async () => ((await missing(batch)).length === 0 ? batch : null),
      doubt: false,
    });
    if (reply.status === 'refused') return reply.reason;
  }
  return null;
}

function toRow({ path, line, column, level, message }: Annotation): AnnotationRow {
  const place = { path, start_line: line, end_line: line, start_column: column, end_column: column };
  return { ...place, annotation_level: level, message: cleanCode(message).slice(0, MESSAGE_LIMIT) || 'no text' };
}

function nameOf({ path, start_line: line, start_column: column, annotation_level: level, message }: AnnotationRow): string {
  return JSON.stringify([path, line, column ?? null, level, message]);
}
