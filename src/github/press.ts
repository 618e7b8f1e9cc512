import { z } from 'zod';
import type { Actor } from '../journal/event.ts';
import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { toActor, toRepository } from './context.ts';
import { type Delivery, Envelope } from './webhook.ts';

/** Somebody pressed a button of our checks: one of our own on one check run, "Re-run" there, or "Re-run all checks" of a commit. */
export interface Press {
  delivery: string;
  /** The webhook's event and action. */
  event: string;
  installation: number;
  repository: Repository;
  actor: Actor;
  order: 'cancel' | 'retry' | 'post-now';
  /** The run that the check is of, or the suite whose checks are meant. */
  of: { run: string } | { suite: number };
}

const CheckPress = z.object({
  check_run: z.object({ external_id: z.string().nullish() }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
});
const SuitePress = z.object({ check_suite: z.object({ id: z.number() }) });
const SuiteRuns = z.object({ check_runs: z.array(z.object({ id: z.number(), external_id: z.string().nullish() })) });

/** Deliveries of these events say the same, byte for byte, each time somebody presses the same button. */
export function isPressEvent(event: string): boolean {
  return event === 'check_run' || event === 'check_suite';
}

/** Reads the press of a button out of a delivery. Null for every other delivery, for buttons that are not ours and for checks that are of no run; never throws. */
export function toPress({ id, name, payload }: Delivery): Press | null {
  if (!isPressEvent(name)) return null;
  const envelope = Envelope.safeParse(payload);
  if (!envelope.success) return null;
  const { action, installation, repository, sender } = envelope.data;
  const pressed = name === 'check_run' ? checkPress(action, payload) : suitePress(action, payload);
  if (!pressed) return null;
  return {
    delivery: id,
    event: `${name}.${action}`,
    installation: installation.id,
    repository: toRepository(repository),
    actor: toActor(sender),
    ...pressed,
  };
}

/** The runs whose checks stand in a suite, oldest first. Throws `GitHubError`s. */
export async function runsOfSuite(api: Api, { owner, name }: Repository, suite: number): Promise<string[]> {
  const found: { id: number; external_id?: string | null | undefined }[] = [];
  for (let page = 1; ; page++) {
    const { data } = await api.rest.checks.listForSuite({ owner, repo: name, check_suite_id: suite, filter: 'all', per_page: 100, page });
    const { check_runs: rows } = SuiteRuns.parse(data);
    found.push(...rows);
    if (rows.length < 100) break;
  }
  return found.toSorted((a, b) => a.id - b.id).flatMap(({ external_id }) => (isRun(external_id) ? [external_id] : []));
}

function checkPress(action: string, payload: unknown): Pick<Press, 'order' | 'of'> | null {
  const read = CheckPress.safeParse(payload);
  const run = read.data?.check_run.external_id;
  if (!isRun(run)) return null;
  const identifier = action === 'requested_action' ? read.data?.requested_action?.identifier : action === 'rerequested' ? 'retry' : null;
  return identifier === 'cancel' || identifier === 'retry' || identifier === 'post-now' ? { order: identifier, of: { run } } : null;
}

function suitePress(action: string, payload: unknown): Pick<Press, 'order' | 'of'> | null {
  const read = SuitePress.safeParse(payload);
  return action === 'rerequested' && read.success ? { order: 'retry', of: { suite: read.data.check_suite.id } } : null;
}

/** Checks of runs carry the run's id; those of proposed configuration begin with another letter. */
function isRun(external: string | null | undefined): external is string {
  return /^r[\w-]{1,63}$/.test(external ?? '');
}
