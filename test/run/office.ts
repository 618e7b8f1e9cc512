import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Person } from '../../src/demo/github/person.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Configurations } from '../../src/github/configuration.ts';
import { Permissions } from '../../src/github/permission.ts';
import type { RunStart } from '../../src/journal/entry.ts';
import { startOf } from '../../src/journal/view.ts';
import { Intake } from '../../src/run/intake.ts';
import type { Services } from '../../src/session/services.ts';
import type { Decision } from '../../src/store/decisions.ts';
import { agentStep, House } from '../session/house.ts';

export const AGENT = '---\nname: A\ntype: CodeReview\n---\nYou look.\n';
export const OPENED = { event: 'pull_request_opened' };

/** The text of a workflow of one step. */
export function workflow(name: string, triggers: object[] = [OPENED], more: object = {}): string {
  return JSON.stringify({ name, triggers, steps: [agentStep('a')], flow: [{ from: '', to: 'a' }], ...more });
}

/** A repository of a test's own, with a writer and a stranger. */
export interface Place {
  name: string;
  id: number;
  wanda: Person;
  eve: Person;
}

/** Where deliveries of a GitHub double are taken in, one after the other, without workers. */
export class Office {
  readonly house: House;
  readonly github: GitHub;
  readonly app: GitHubApp;
  readonly services: Services;
  readonly #taken = new Set<number>();
  #repositories = 0;
  #intake: Intake;

  private constructor(house: House, github: GitHub) {
    this.house = house;
    this.github = github;
    const { id, privateKey, webhookSecret } = github.app;
    this.app = new GitHubApp({
      appId: id,
      privateKey,
      webhookSecret,
      apiUrl: github.apiUrl,
      version: '0.0.0',
      log: pino({ level: 'silent' }),
    });
    this.services = house.process().services;
    this.#intake = this.intakeOf(this.services);
    this.app.onDelivery((delivery) => this.#intake.handle(delivery));
  }

  static async open(): Promise<Office> {
    const [house, github] = await Promise.all([House.open(), GitHub.start()]);
    return new Office(house, github);
  }

  async close(): Promise<void> {
    await this.app.close();
    await Promise.all([this.house.close(), this.github.stop()]);
  }

  intakeOf(services: Services): Intake {
    const parts = { app: this.app, configurations: new Configurations(), permissions: new Permissions() };
    return new Intake({ services, ...parts });
  }

  /** Lets another intake handle deliveries while the work is done. */
  async with(intake: Intake, work: () => Promise<unknown>): Promise<void> {
    const before = this.#intake;
    this.#intake = intake;
    await work().finally(() => (this.#intake = before));
  }

  /** A repository with these workflows by name, and with further files. */
  async settle(workflows: Record<string, string>, more: Record<string, string> = {}): Promise<Place> {
    const name = `acme/app-${++this.#repositories}`;
    const files = Object.fromEntries(Object.entries(workflows).map(([file, text]) => [`.overcut/workflows/${file}.json`, text]));
    const { id } = await this.github.createRepository(name, { 'a.txt': 'one\n', '.overcut/agents/a.md': AGENT, ...files, ...more });
    this.github.install(name);
    return { name, id, wanda: this.github.person('wanda', { [name]: 'write' }), eve: this.github.person('eve', { [name]: 'read' }) };
  }

  /** Takes in what GitHub sent since the last time; answers the deliveries. */
  async takeAll() {
    const fresh = this.github.hooks.deliveries.filter((delivery) => !this.#taken.has(delivery.id));
    for (const delivery of fresh) {
      this.#taken.add(delivery.id);
      await this.#intake.take({ id: delivery.guid, event: delivery.event, body: delivery.body.toString() });
    }
    return fresh;
  }

  async openPull(at: Place, title = 'Change'): Promise<number> {
    const branch = `b-${randomUUID().slice(0, 6)}`;
    await at.wanda.push(at.name, branch, { 'a.txt': `${branch}\n` });
    await this.takeAll();
    return (await at.wanda.openPull(at.name, { head: branch, title })).number;
  }

  /** The runs on a repository, oldest first, each with the newest event that was merged into it. */
  async runsOf(repository: number): Promise<RunStart[]> {
    const ids = await this.house.store.newestRuns(1_000);
    const found = await Promise.all(ids.map(async (id) => startOf(await this.house.entries(id))));
    const starts = found.filter((start) => start !== null);
    return starts.filter((start) => start.event.repository.id === repository).reverse();
  }

  /** What was decided about a pull request or issue, oldest first. */
  async decisions(repository: number, number: number, kind = 'pr'): Promise<Pick<Decision, 'event' | 'workflow' | 'verdict' | 'reason'>[]> {
    const all = await this.house.store.decisions.list(repository, `${repository}:${kind}:${number}`);
    return all.map(({ event, workflow: name, verdict, reason }) => ({ event, workflow: name, verdict, reason })).reverse();
  }

  /** The texts that were posted, and the reactions, in their order. */
  said(): string[] {
    return [...this.house.effects.values()].flatMap(({ effect }) => {
      if (effect.type === 'comment.create' || effect.type === 'thread.reply') return [effect.body];
      return effect.type === 'reaction.add' ? [effect.content] : [];
    });
  }
}
