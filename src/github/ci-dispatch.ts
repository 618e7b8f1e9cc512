import type { Effect, Outcome } from '../journal/effect.ts';
import type { Writer } from './writer.ts';

type Dispatch = Extract<Effect, { type: 'ci.dispatch' }>;

interface RunRow {
  id: number;
  created_at: string;
  head_branch: string | null;
  actor: { login: string } | null;
}

/** What a started workflow is found by: the newest run that there was before, and who started it. */
interface Dispatched {
  before: number;
  by: string;
}

/** GitHub's clock and ours may differ by this much (ms). */
const SKEW = 60_000;

/**
 * Starts a workflow of the run's own repository by `workflow_dispatch`. GitHub takes no key and answers with nothing, so one that may have been started before is
 * looked for by its starter, its branch and its time.
 */
export async function dispatchCi(writer: Writer, { workflow, ref, inputs }: Dispatch): Promise<Outcome> {
  const rows = await listRuns(writer, workflow);
  if (!Array.isArray(rows)) return rows;
  const since = rows.filter((row) => Date.parse(row.created_at) >= writer.since - SKEW && isOurs(writer, row, ref));
  const first = Math.min(...since.map(({ id }) => id));
  const newest = Math.max(0, ...rows.map(({ id }) => id));
  const done = (before: number): Outcome => ({ status: 'done', result: { before, by: writer.login } satisfies Dispatched });
  if (writer.resumed && since.length > 0) return done(first - 1);
  const reply = await writer.settle<unknown>({
    doubt: false,
    act: () =>
      writer.write('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', { workflow_id: workflow, ref, inputs }),
    async look() {
      const now = await listRuns(writer, workflow);
      return Array.isArray(now) ? (now.find((row) => row.id > newest && isOurs(writer, row, ref)) ?? null) : null;
    },
  });
  if (reply.status === 'done') return done(newest);
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
