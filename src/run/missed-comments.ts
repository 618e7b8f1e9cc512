import type { GitHubApp } from '../github/client.ts';
import { listRecentComments, type RecentComment, toDelivery } from '../github/recent-comments.ts';
import type { Event } from '../journal/event.ts';
import { type Repository, resourceKey } from '../journal/resource.ts';
import type { Services } from '../session/services.ts';
import type { OpenRoom } from '../store/rooms.ts';

/** What reading comments again takes. */
export interface MissedCommentsParts {
  services: Pick<Services, 'store' | 'log'>;
  app: Pick<GitHubApp, 'api' | 'identity'>;
}

/** GitHub's lists may lag, and clocks may differ: each look reaches back by as much (ms). */
const OVERLAP_MS = 5 * 60_000;
/** GitHub's clock and the store's may differ by as much (ms). */
const CLOCKS_DIFFER_MS = 10_000;
/** How far back the comments before one that has just come are looked at (ms). */
const BEFORE_MS = 10 * 60_000;

interface Group {
  installation: number;
  repository: Repository;
  rooms: OpenRoom[];
}

/**
 * Finds comments that open sessions should have got and whose webhooks never came, and puts them into the queue as if they had: whatever holds for a
 * comment holds for them. Two requests a repository, however many sessions are open in it. A comment that comes by its webhook as well is taken once.
 */
export class MissedComments {
  readonly #parts: MissedCommentsParts;

  constructor(parts: MissedCommentsParts) {
    this.#parts = parts;
  }

  /** Looks at every repository in which a session is open. One that cannot be read holds up no other. Answers how many comments were put into the queue. */
  async look({ keep }: { keep(): Promise<boolean> }): Promise<number> {
    const { store, log } = this.#parts.services;
    let found = 0;
    for (const group of groupsOf(await store.mailboxes.rooms())) {
      if (!(await keep())) break;
      try {
        found += await this.#lookAt(group);
      } catch (error) {
        log.warn({ repository: group.repository.fullName, err: error }, 'comments could not be read again: it is tried again');
      }
    }
    if (found > 0) log.info({ found }, 'comments whose webhooks never came were read from GitHub');
    return found;
  }

  /**
   * Makes sure that the comments before one that has just come are on their way as well, so that they are heard in their order. `opened`: when the session
   * began to take comments. Never throws.
   */
  async lookBefore({ comment, resource, installation, repository }: Event, opened: number): Promise<void> {
    if (!comment || !('number' in resource)) return;
    const since = Math.max(opened - CLOCKS_DIFFER_MS, Date.parse(comment.createdAt) - BEFORE_MS);
    try {
      const api = await this.#parts.app.api(installation, repository.id, 'read');
      const comments = await listRecentComments(api, { repository, number: resource.number, place: comment.place, since });
      const before = comments.filter(({ id }) => id < comment.id);
      await this.#handIn({ installation, repository }, before, () => [resourceKey(resource)]);
    } catch (error) {
      this.#parts.services.log.warn(
        { comment: comment.id, err: error },
        'the comments before this one could not be read: it may be heard first',
      );
    }
  }

  async #lookAt({ installation, repository, rooms }: Group): Promise<number> {
    const { mailboxes } = this.#parts.services.store;
    const now = await this.#parts.services.store.now();
    const opened = Math.min(...rooms.map((room) => room.since));
    const since = Math.max(opened - CLOCKS_DIFFER_MS, (await mailboxes.rereadAt(repository.id)) - OVERLAP_MS);
    const api = await this.#parts.app.api(installation, repository.id, 'read');
    const resources = (number: number) =>
      rooms.filter(({ recipient }) => recipient.place?.number === number).map(({ resource }) => resource);
    const comments = await listRecentComments(api, { repository, since });
    const awaited = comments.filter(({ number }) => resources(number).length > 0);
    const found = await this.#handIn({ installation, repository }, awaited, resources);
    for (const { number, id, body, editedAt } of awaited)
      for (const resource of editedAt === null ? [] : resources(number))
        await mailboxes.amend(resource, { comment: id, body, at: editedAt ?? '' });
    await mailboxes.reread(repository.id, now);
    return found;
  }

  /** Puts those of the comments into the queue that no delivery brought. Later ones are held back until these were looked at. */
  async #handIn(
    { installation, repository }: Omit<Group, 'rooms'>,
    comments: RecentComment[],
    resources: (number: number) => string[],
  ): Promise<number> {
    const { login } = await this.#parts.app.identity();
    const missing = await this.#missing(comments.filter(({ author }) => author !== login));
    if (missing.length === 0) return 0;
    const { store } = this.#parts.services;
    const each = (work: (resource: string, comment: RecentComment) => Promise<void>, some: RecentComment[]) =>
      Promise.all(some.flatMap((comment) => resources(comment.number).map((resource) => work(resource, comment))));
    await each((resource, { id, createdAt }) => store.mailboxes.announce(resource, { comment: id, createdAt }), missing);
    const still = await this.#missing(missing);
    const brought = missing.filter((comment) => !still.includes(comment));
    await each((resource, { id, createdAt }) => store.mailboxes.settle(resource, { comment: id, createdAt }), brought);
    const api = await this.#parts.app.api(installation, repository.id, 'read');
    for (const comment of still) await store.queues.addDelivery(await toDelivery(api, { installation, repository, comment }));
    return still.length;
  }

  async #missing(comments: RecentComment[]): Promise<RecentComment[]> {
    const brought = await this.#parts.services.store.claims.broughtComments(comments.map(({ name }) => name));
    return comments.filter(({ name }) => !brought.includes(name));
  }
}

/** The rooms by repository; those whose comments cannot be read again are left out. */
function groupsOf(rooms: OpenRoom[]): Group[] {
  const groups = new Map<number, Group>();
  for (const room of rooms) {
    const { place } = room.recipient;
    if (!place) continue;
    const { installation, repository } = place;
    const known = groups.get(repository.id);
    groups.set(repository.id, { installation, repository, rooms: [...(known?.rooms ?? []), room] });
  }
  return [...groups.values()];
}
