import { BODY_MAX, invalid, Refusal } from '../refusal.ts';
import type { Scene } from '../route.ts';
import { accountJson } from '../shape/account.ts';
import { labelJson, milestoneJson } from '../shape/item.ts';
import type { Account, Item, Label, Milestone, Repository } from '../state.ts';
import { sendItemEvent } from './pull-event.ts';

/** What somebody writes to open an issue or a pull request. */
export interface NewItem {
  title: string;
  body?: string | null;
  labels?: readonly string[];
  assignees?: readonly string[];
}

/** Adds an item without telling anybody. Throws Refusal for a title or body that GitHub would not take. */
export function addItem(scene: Scene, fields: NewItem): Item {
  if (fields.title.trim() === '') throw invalid('Issue', 'title', 'missing_field');
  requireFittingBody(fields.body ?? '');
  const { world, repo, by } = scene;
  const now = Date.now();
  const item: Item = {
    id: world.nextId(),
    number: ++repo.lastNumber,
    title: fields.title,
    body: fields.body ?? null,
    author: by,
    state: 'open',
    stateReason: null,
    labels: new Set((fields.labels ?? []).map((name) => ensureLabel(scene, name))),
    milestone: null,
    assignees: new Set((fields.assignees ?? []).map((login) => world.account(login))),
    locked: false,
    lockReason: null,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
    reactions: [],
    history: [],
    pull: null,
  };
  repo.items.set(item.number, item);
  return item;
}

export async function openIssue(scene: Scene, fields: NewItem): Promise<Item> {
  const item = addItem(scene, fields);
  await sendItemEvent(scene, item, { action: 'opened' });
  return item;
}

/** Changes title or body; sends `edited` with what was there before. */
export async function editItem(scene: Scene, item: Item, fields: { title?: string; body?: string }): Promise<void> {
  const changes: Record<string, { from: string }> = {};
  if (fields.title !== undefined && fields.title !== item.title) {
    changes.title = { from: item.title };
    item.title = fields.title;
  }
  if (fields.body !== undefined && fields.body !== (item.body ?? '')) {
    requireFittingBody(fields.body);
    changes.body = { from: item.body ?? '' };
    item.body = fields.body;
  }
  if (Object.keys(changes).length > 0) await sendItemEvent(scene, item, { action: 'edited', extra: { changes } });
}

export async function closeItem(scene: Scene, item: Item, reason = 'completed'): Promise<void> {
  if (item.state === 'closed') return;
  Object.assign(item, { state: 'closed', closedAt: Date.now(), closedBy: scene.by, stateReason: item.pull ? null : reason });
  await sendItemEvent(scene, item, { action: 'closed' });
}

export async function reopenItem(scene: Scene, item: Item): Promise<void> {
  if (item.state === 'open') return;
  Object.assign(item, { state: 'open', closedAt: null, closedBy: null, stateReason: item.pull ? null : 'reopened' });
  await sendItemEvent(scene, item, { action: 'reopened' });
}

export async function lockItem(scene: Scene, item: Item, lock: { locked: boolean; reason?: string }): Promise<void> {
  if (item.locked === lock.locked) return;
  Object.assign(item, { locked: lock.locked, lockReason: lock.locked ? (lock.reason ?? null) : null });
  await sendItemEvent(scene, item, { action: lock.locked ? 'locked' : 'unlocked' });
}

/** The label of this name, whatever its case, or null. */
export function findLabel(repo: Repository, name: string): Label | null {
  return repo.labels.get(name.toLowerCase()) ?? null;
}

/** The label of this name, made on first use. */
export function ensureLabel(scene: Scene, name: string, fields: { color?: string; description?: string | null } = {}): Label {
  const known = findLabel(scene.repo, name);
  if (known) return known;
  const label = { id: scene.world.nextId(), name, color: fields.color ?? 'ededed', description: fields.description ?? null };
  scene.repo.labels.set(name.toLowerCase(), label);
  return label;
}

export async function addLabels(scene: Scene, item: Item, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const label = ensureLabel(scene, name);
    if (item.labels.has(label)) continue;
    item.labels.add(label);
    await sendItemEvent(scene, item, { action: 'labeled', extra: { label: labelJson(scene.world, scene.repo, label) } });
  }
}

/** Takes a label off. Throws a 404 when it is not there. */
export async function removeLabel(scene: Scene, item: Item, name: string): Promise<void> {
  const label = findLabel(scene.repo, name);
  if (!label || !item.labels.delete(label)) throw new Refusal(404, 'Label does not exist');
  await sendItemEvent(scene, item, { action: 'unlabeled', extra: { label: labelJson(scene.world, scene.repo, label) } });
}

/** Makes the labels of an item exactly these. */
export async function setLabels(scene: Scene, item: Item, names: readonly string[]): Promise<void> {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  for (const label of [...item.labels]) if (!wanted.has(label.name.toLowerCase())) await removeLabel(scene, item, label.name);
  await addLabels(scene, item, names);
}

/** Makes the assignees of an item exactly these, with an event for each that comes or goes. */
export async function setAssignees(scene: Scene, item: Item, accounts: readonly Account[]): Promise<void> {
  for (const account of [...item.assignees])
    if (!accounts.includes(account)) await changeAssignee(scene, item, { account, action: 'unassigned' });
  for (const account of accounts) if (!item.assignees.has(account)) await changeAssignee(scene, item, { account, action: 'assigned' });
}

async function changeAssignee(scene: Scene, item: Item, change: { account: Account; action: 'assigned' | 'unassigned' }): Promise<void> {
  if (change.action === 'assigned') item.assignees.add(change.account);
  else item.assignees.delete(change.account);
  await sendItemEvent(scene, item, { action: change.action, extra: { assignee: accountJson(scene.world, change.account) } });
}

/** Puts an item into a milestone, or takes it out of the one it is in. */
export async function setMilestone(scene: Scene, item: Item, milestone: Milestone | null): Promise<void> {
  const before = item.milestone;
  if (before === milestone) return;
  item.milestone = milestone;
  const told = milestone ?? before;
  const extra = told ? { milestone: milestoneJson(scene.world, scene.repo, told) } : {};
  await sendItemEvent(scene, item, { action: milestone ? 'milestoned' : 'demilestoned', extra });
}

function requireFittingBody(body: string): void {
  if (body.length > BODY_MAX) throw invalid('Issue', 'body', 'custom', `body is too long (maximum is ${BODY_MAX} characters)`);
}
