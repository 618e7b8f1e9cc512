import { Fields } from '../fields.ts';
import { invalid, malformed } from '../refusal.ts';
import type { Scene } from '../route.ts';
import type { Json } from '../shape/account.ts';
import { checkRunJson, checkSuiteJson, hookSuiteJson } from '../shape/check.ts';
import type { Annotation, CheckRun, CheckSuite } from '../state.ts';
import { sendEvent } from './event.ts';

const CONCLUSIONS = ['success', 'failure', 'neutral', 'cancelled', 'timed_out', 'action_required', 'skipped', 'stale'];
const STATUSES = ['queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending'];
const TEXT_MAX = 65_535;
const ANNOTATIONS_MAX = 50;
const ACTIONS_MAX = 3;
const ACTION_LENGTHS = { label: 20, description: 40, identifier: 20 };

/** Makes a check run on a commit. Throws Refusal. */
export function createCheckRun(scene: Scene, sha: string, body: Fields): CheckRun {
  const { world, repo } = scene;
  const name = body.text('name');
  if (!name) throw invalid('CheckRun', 'name', 'missing_field');
  requireCheck(body);
  const run: CheckRun = {
    id: world.nextId(),
    sha,
    suite: suiteOf(scene, sha),
    name,
    externalId: '',
    detailsUrl: `${world.url}/apps/${world.app.slug}`,
    status: 'queued',
    conclusion: null,
    startedAt: Date.now(),
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
    actions: [],
    states: [],
  };
  applyCheck(run, body);
  repo.checkRuns.set(run.id, run);
  sendCheckEvent(scene, run, { action: 'created' });
  if (run.status === 'completed') completeCheck(scene, run);
  return run;
}

/** Changes a check run. Throws Refusal. */
export function updateCheckRun(scene: Scene, run: CheckRun, body: Fields): void {
  const was = run.status;
  requireCheck(body);
  applyCheck(run, body);
  if (run.status === 'completed' && was !== 'completed') completeCheck(scene, run);
  else scene.world.changes.tell('check_run.updated', scene.repo.fullName, numberAt(scene, run.sha));
}

/** Somebody presses "Re-run" or one of the buttons of a check run. */
export function pressCheck(scene: Scene, run: CheckRun, identifier?: string): void {
  if (identifier === undefined) sendCheckEvent(scene, run, { action: 'rerequested' });
  else sendCheckEvent(scene, run, { action: 'requested_action', extra: { requested_action: { identifier } } });
}

/** Somebody presses "Re-run all checks". */
export function rerequestSuite(scene: Scene, suite: CheckSuite): void {
  sendSuiteEvent(scene, suite, 'rerequested');
}

/** A push came: GitHub asks every app that may write checks for its suite. */
export function requestSuite(scene: Scene, head: { sha: string; branch: string }): void {
  const suite = suiteOf(scene, head.sha);
  suite.branch = head.branch;
  sendSuiteEvent(scene, suite, 'requested');
}

/** The app's suite on a commit, made on first use. */
export function suiteOf(scene: Scene, sha: string): CheckSuite {
  const { world, repo } = scene;
  const known = [...repo.checkSuites.values()].find((suite) => suite.sha === sha);
  if (known) return known;
  const now = Date.now();
  const head = [...repo.items.values()].find((item) => item.pull?.headSha === sha)?.pull;
  const suite = {
    id: world.nextId(),
    sha,
    branch: head?.headRef ?? null,
    status: 'queued',
    conclusion: null,
    createdAt: now,
    updatedAt: now,
  };
  repo.checkSuites.set(suite.id, suite);
  return suite;
}

function applyCheck(run: CheckRun, body: Fields): void {
  const time = (name: string) => (body.text(name) === undefined ? undefined : Date.parse(body.text(name) ?? ''));
  run.name = body.text('name') ?? run.name;
  run.externalId = body.text('external_id') ?? run.externalId;
  run.detailsUrl = body.text('details_url') ?? run.detailsUrl;
  run.startedAt = time('started_at') ?? run.startedAt;
  const output = body.object('output');
  if (output) {
    for (const name of ['title', 'summary', 'text'] as const) run.output[name] = output.text(name) ?? run.output[name];
    run.annotations.push(...readAnnotations(output));
  }
  if (body.has('actions')) run.actions = readActions(body);
  const conclusion = body.text('conclusion');
  const status = conclusion === undefined ? body.text('status') : 'completed';
  if (status === 'completed')
    Object.assign(run, { status, conclusion: conclusion ?? run.conclusion, completedAt: time('completed_at') ?? Date.now() });
  else if (status !== undefined) Object.assign(run, { status, conclusion: null, completedAt: null });
  run.states.push({ at: Date.now(), status: run.status, conclusion: run.conclusion, title: run.output.title });
  Object.assign(run.suite, { status: run.status, conclusion: run.conclusion, updatedAt: Date.now() });
}

function requireCheck(body: Fields): void {
  const conclusion = body.text('conclusion');
  const status = body.text('status');
  if (conclusion !== undefined && !CONCLUSIONS.includes(conclusion)) throw invalid('CheckRun', 'conclusion');
  if (status !== undefined && !STATUSES.includes(status)) throw invalid('CheckRun', 'status');
  if (status === 'completed' && conclusion === undefined) throw invalid('CheckRun', 'conclusion', 'missing_field');
  const output = body.object('output');
  if (output) requireOutput(output);
  readActions(body);
}

function requireOutput(output: Fields): void {
  if (!output.has('title')) throw malformed(`For 'properties/output', "title" wasn't supplied.`);
  if (!output.has('summary')) throw malformed(`For 'properties/output', "summary" wasn't supplied.`);
  for (const name of ['summary', 'text']) {
    if ((output.text(name) ?? '').length > TEXT_MAX)
      throw invalid('CheckRun', name, 'custom', `${name} exceeds a maximum bytesize of ${TEXT_MAX}`);
  }
  readAnnotations(output);
}

function readAnnotations(output: Fields): Annotation[] {
  const list = output.list('annotations') ?? [];
  if (list.length > ANNOTATIONS_MAX) throw malformed(`No more than ${ANNOTATIONS_MAX} items are allowed; ${list.length} were supplied.`);
  return list.map((entry) => {
    const fields = new Fields(entry);
    for (const name of ['path', 'start_line', 'end_line', 'annotation_level', 'message']) {
      if (!fields.has(name)) throw malformed(`For 'items', "${name}" wasn't supplied.`);
    }
    return Object.fromEntries(fields.names().map((name) => [name, fields.raw(name)]));
  });
}

function readActions(body: Fields): CheckRun['actions'] {
  const list = body.list('actions') ?? [];
  if (list.length > ACTIONS_MAX) throw malformed(`No more than ${ACTIONS_MAX} items are allowed; ${list.length} were supplied.`);
  return list.map((entry) => {
    const fields = new Fields(entry);
    for (const [name, most] of Object.entries(ACTION_LENGTHS)) {
      const { length } = fields.needText(name);
      if (length === 0 || length > most) throw malformed(`For 'properties/${name}', it must be 1 to ${most} characters long.`);
    }
    return { label: fields.needText('label'), description: fields.needText('description'), identifier: fields.needText('identifier') };
  });
}

function completeCheck(scene: Scene, run: CheckRun): void {
  sendCheckEvent(scene, run, { action: 'completed' });
  const open = [...scene.repo.checkRuns.values()].some((other) => other.suite === run.suite && other.status !== 'completed');
  if (!open) sendSuiteEvent(scene, run.suite, 'completed');
}

function sendCheckEvent(scene: Scene, run: CheckRun, change: { action: string; extra?: Json }): void {
  const { world, repo } = scene;
  const json = { ...checkRunJson(world, repo, run), check_suite: hookSuiteJson(world, repo, run.suite) };
  sendEvent(scene, 'check_run', { payload: { action: change.action, check_run: json, ...change.extra }, number: numberAt(scene, run.sha) });
}

function sendSuiteEvent(scene: Scene, suite: CheckSuite, action: string): void {
  const { world, repo } = scene;
  sendEvent(scene, 'check_suite', {
    payload: { action, check_suite: checkSuiteJson(world, repo, suite) },
    number: numberAt(scene, suite.sha),
  });
}

function numberAt(scene: Scene, sha: string): number | null {
  return [...scene.repo.items.values()].find((item) => item.pull?.heads.has(sha))?.number ?? null;
}
