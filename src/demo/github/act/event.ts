import type { Scene } from '../route.ts';
import { accountJson, installationJson, type Json, nodeId, organizationJson } from '../shape/account.ts';
import { repositoryJson, smallRepositoryJson } from '../shape/repository.ts';
import type { Installation, Item, Repository } from '../state.ts';
import type { World } from '../world.ts';

/** Sends a repository's event to the app, if it is installed there and subscribed, and tells who watches. */
export function sendEvent(scene: Scene, event: string, subject: { payload: Json; number?: number | null }): void {
  const { world, repo, by } = scene;
  const { payload } = subject;
  world.changes.tell(typeof payload.action === 'string' ? `${event}.${payload.action}` : event, repo.fullName, subject.number ?? null);
  const installation = world.installationOf(repo);
  if (!installation || installation.suspendedAt !== null || !world.app.events.includes(event)) return;
  const whole = {
    ...payload,
    repository: repositoryJson(world, repo),
    ...(repo.owner.type === 'Organization' ? { organization: organizationJson(world, repo.owner) } : {}),
    sender: accountJson(world, by),
    installation: { id: installation.id, node_id: nodeId('MDIzOkluc3RhbGxhdGlvbg', installation.id) },
  };
  world.hooks.send(event, whole, { installationId: installation.id, repositoryId: repo.id });
}

/** Keeps a line of an item's history. */
export function noteHistory(scene: Scene, item: Item, event: string): void {
  item.updatedAt = Date.now();
  item.history.push({ id: scene.world.nextId(), event, actor: scene.by, at: item.updatedAt });
}

/** Sends `installation`: created, deleted, suspend or unsuspend. These come whatever the app subscribed to. */
export function sendInstallationEvent(world: World, installation: Installation, action: string): void {
  const payload = {
    action,
    installation: installationJson(world, installation),
    repositories: [...installation.repositories].map(smallRepositoryJson),
    requester: null,
    sender: accountJson(world, installation.account),
  };
  world.hooks.send('installation', payload, { installationId: installation.id, repositoryId: null });
}

/** Sends `installation_repositories`: added or removed. */
export function sendInstallationRepositoriesEvent(
  world: World,
  installation: Installation,
  change: { action: 'added' | 'removed'; repositories: readonly Repository[] },
): void {
  const rows = change.repositories.map(smallRepositoryJson);
  const payload = {
    action: change.action,
    installation: installationJson(world, installation),
    repository_selection: 'selected',
    repositories_added: change.action === 'added' ? rows : [],
    repositories_removed: change.action === 'removed' ? rows : [],
    requester: null,
    sender: accountJson(world, installation.account),
  };
  world.hooks.send('installation_repositories', payload, { installationId: installation.id, repositoryId: null });
}
