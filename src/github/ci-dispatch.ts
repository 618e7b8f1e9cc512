import type { Effect, Outcome } from '../journal/effect.ts';
import { Unsettled, type Writer } from './writer.ts';

type Dispatch = Extract<Effect, { type: 'ci.dispatch' }>;

interface RunRow {
  id: number;
  head_branch: string | null;
  actor: { login: string } | null;
}

/** What a started workflow is found by: the newest run that there was before, and who started it. */
interface Dispatched {
  before: number;
  by: string;
}

/** GitHub makes the run some time after it has taken the request: not before this time (ms) is it asked for again, and how often it is looked for meanwhile. */
const SHOWN_MS = 60_000;
const LOOK_MS = 5_000;

/**
 * Starts a workflow of the run's own repository by `workflow_dispatch`. GitHub takes no key and answers with nothing, so one that may have been started before is
 * looked for by its starter, its branch, and what there was before it.
 */
export async function dispatchCi(writer: Writer, { workflow, ref, inputs }: Dispatch): Promise<Outcome> {
  const rows = await listRuns(writer, workflow);
  if (!Array.isArray(rows)) return rows;
  const { sent } = writer;
  const before = sent?.before ?? Math.max(0, ...rows.map(({ id }) => id));
  const done: Outcome = { status: 'done', result: { before, by: writer.login } satisfies Dispatched };
  if (rows.some((row) => row.id > before && isOurs(writer, row, ref))) return done;
  if (sent && writer.now - sent.at < SHOWN_MS)
    throw new Unsettled('it does not show whether the workflow was started', writer.now + LOOK_MS);
  const route = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches';
  const reply = await writer.write(route, { workflow_id: workflow, ref, inputs }, { before: () => writer.noteSent(before) });
  if (reply.status === 'done') return done;
  if (reply.status === 'unknown') throw new Unsettled(reply.reason, writer.now + LOOK_MS);
  return { status: 'refused', reason: `the workflow "${workflow}" was not started on ${ref}: ${reply.reason}` };
}

async function listRuns(writer: Writer, workflow: string): Promise<RunRow[] | { status: 'refused'; reason: string }> {
  const route = 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs';
  const read = await writer.read<{ workflow_runs: RunRow[] }>(route, { workflow_id: workflow, event: 'workflow_dispatch', per_page: 30 });
  if (read.status === 'done') return read.value.workflow_runs;
  const reason = `there is no workflow "${workflow}" in ${writer.event.repository.fullName} (${read.reason}): name its file, such as deploy.yml`;
  return { status: 'refused', reason };
}

function isOurs(writer: Writer, row: RunRow, ref: string): boolean {
  return writer.owns(row.actor) && row.head_branch === ref;
}
