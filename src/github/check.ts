import type { CheckAction, CheckOutput, Effect, Outcome } from '../journal/effect.ts';
import { annotateCheck } from './annotation.ts';
import { cleanText } from './clean.ts';
import type { Writer } from './writer.ts';

interface CheckRow {
  id: number;
  external_id: string | null;
  html_url: string | null;
}

type Create = Extract<Effect, { type: 'check.create' }>;
type Update = Extract<Effect, { type: 'check.update' }>;

const TITLE_LIMIT = 250;
const MOST_ACTIONS = 3;

/** Opens a check run, in progress, once: it is known again by its external id. */
export async function createCheck(writer: Writer, effect: Create): Promise<Outcome> {
  const output = cleanOutput(effect.output);
  const fields = {
    name: effect.name,
    head_sha: effect.sha,
    external_id: effect.external,
    status: 'in_progress',
    output,
    ...actionsOf(effect),
  };
  const reply = await writer.settle<CheckRow>({
    act: () => writer.write('POST /repos/{owner}/{repo}/check-runs', fields, { content: false }),
    look: () => findCheck(writer, effect),
  });
  if (reply.status === 'refused') return reply;
  const stands = reply.unsure ? ((await findCheck(writer, effect)) ?? reply.value) : reply.value;
  const unannotated = await annotateCheck(writer, { check: stands.id, output, annotations: effect.output.annotations ?? [] });
  return { status: 'done', result: { checkId: stands.id, url: stands.html_url, ...(unannotated ? { unannotated } : {}) } };
}

/** Finds the check run that this effect made. Check runs cannot be deleted: a double is ended and says so. */
export async function findCheck(writer: Writer, effect: Create): Promise<CheckRow | null> {
  const rows = await writer.list<CheckRow>(
    'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
    { ref: effect.sha, check_name: effect.name, filter: 'all' },
    (page) => (page as { check_runs: CheckRow[] }).check_runs,
  );
  const { kept, doubles } = writer.part((rows ?? []).filter((row) => row.external_id === effect.external));
  for (const double of doubles) {
    const output = { title: 'Opened twice', summary: 'The other check run of this name has the result.' };
    const fields = { check_run_id: double.id, external_id: '', status: 'completed', conclusion: 'skipped', output };
    await writer.undo('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', fields);
  }
  return kept;
}

/** Changes a check run, or ends it, after its annotations were added; where GitHub refuses those, `unannotated` says why. Can be repeated. */
export async function updateCheck(writer: Writer, effect: Update): Promise<Outcome> {
  const { check, status, conclusion, output } = effect;
  const end = status === 'completed' ? { conclusion: conclusion ?? 'neutral' } : {};
  const clean = cleanOutput(output);
  const unannotated = await annotateCheck(writer, { check, output: clean, annotations: output.annotations ?? [] });
  const fields = { check_run_id: check, status, ...end, output: clean, ...actionsOf(effect) };
  const reply = await writer.settle<CheckRow>({
    act: () => writer.write('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', fields, { content: false }),
    look: async () => null,
  });
  if (reply.status === 'refused') return reply;
  return { status: 'done', result: { checkId: check, url: reply.value.html_url, ...(unannotated ? { unannotated } : {}) } };
}

/** Buttons that are not named stay as they are. */
function actionsOf({ actions }: Create | Update): { actions?: CheckAction[] } {
  return actions ? { actions: actions.slice(0, MOST_ACTIONS) } : {};
}

function cleanOutput({ title, summary }: CheckOutput): { title: string; summary: string } {
  return { title: cleanText(title, { limit: TITLE_LIMIT }), summary: cleanText(summary) };
}
