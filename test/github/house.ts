import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { GitHub } from '../../src/demo/github/github.ts';
import type { Api } from '../../src/github/api.ts';
import { GitHubApp } from '../../src/github/client.ts';
import { Governor } from '../../src/github/governor.ts';
import { createPublisher, type Performance, type Publisher, type PublisherOptions } from '../../src/github/publisher.ts';
import type { Clock } from '../../src/journal/clock.ts';
import type { Diff, DiffFile, DiffLine, Hunk } from '../../src/journal/diff.ts';
import type { Effect, Outcome } from '../../src/journal/effect.ts';
import type { Event } from '../../src/journal/event.ts';
import type { Finding } from '../../src/journal/finding.ts';
import type { Resource } from '../../src/journal/resource.ts';
import { defaultSettings } from '../../src/workflow/settings.ts';
import { MemoryDoubts, MemoryDrafts, MemoryPlaces, MemoryRecords, MemoryTurns } from './turns.ts';

/** Real time for waits of a turn; longer waits only move the clock on. */
export class QuickClock implements Clock {
  #ahead = 0;
  readonly planned: { ms: number; work: () => void }[] = [];

  now(): number {
    return Date.now() + this.#ahead;
  }

  async sleep(ms: number): Promise<void> {
    if (ms > 50) this.#ahead += ms;
    await sleep(Math.min(ms, 5));
  }

  later(ms: number, work: () => void): void {
    this.planned.push({ ms, work });
  }

  pass(ms: number): void {
    this.#ahead += ms;
  }

  reset(): void {
    this.#ahead = 0;
    this.planned.length = 0;
  }
}

export type Files = Record<string, string | Buffer | null>;

/** A GitHub double with one repository and one pull request, and what a publisher needs to write there. */
export class House {
  readonly gh: GitHub;
  readonly app: GitHubApp;
  readonly clock = new QuickClock();
  readonly records = new MemoryRecords();
  readonly doubts = new MemoryDoubts();
  readonly drafts = new MemoryDrafts();
  readonly turns = new MemoryTurns(this.clock);
  readonly places = new MemoryPlaces();
  readonly #fullName: string;
  #api: Api | null = null;
  #runs = 1;
  event: Event;

  private constructor(gh: GitHub, app: GitHubApp, event: Event) {
    this.gh = gh;
    this.app = app;
    this.event = event;
    this.#fullName = event.repository.fullName;
  }

  static async open(base: Files, head: Files): Promise<House> {
    const gh = await GitHub.start();
    const fullName = 'acme/app';
    const repo = await gh.createRepository(fullName, { 'README.md': '# App\n', ...base });
    const installation = gh.install(repo);
    const alice = gh.person('alice', { [fullName]: 'write' });
    await alice.push(repo, 'feature', head);
    const pull = await alice.openPull(repo, { head: 'feature', title: 'Feature' });
    const app = new GitHubApp({
      appId: gh.app.id,
      privateKey: gh.app.privateKey,
      webhookSecret: 'a-secret-of-16-chars',
      apiUrl: gh.apiUrl,
      version: '0.0.0',
      log: pino({ level: 'silent' }),
    });
    const event = makeEvent(installation.id, { id: repo.id, fullName }, pull.number);
    const house = new House(gh, app, event);
    await house.refresh();
    return house;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.gh.stop();
  }

  /** Clean slate between tests: nothing pending, no findings, no records, no faults, and another run. */
  clear(): void {
    this.#runs++;
    this.gh.clearFaults();
    this.records.rows.clear();
    this.doubts.rows.clear();
    this.drafts.rows.clear();
    this.turns.reset();
    this.places.rows.clear();
    this.clock.reset();
  }

  publisher(more: Partial<PublisherOptions> = {}): Publisher {
    return createPublisher({
      api: (installation, repository, purpose) => this.app.api(installation, repository, purpose),
      identity: () => this.app.identity(),
      records: this.records,
      doubts: this.doubts,
      governor: new Governor({ turns: this.turns, clock: this.clock }),
      places: this.places,
      drafts: this.drafts,
      diff: (event) => this.diff(event),
      settings: defaultSettings(),
      worker: 'worker-1',
      clock: this.clock,
      ...more,
    });
  }

  /** The run of the test that is under way; `clear` goes on to the next. */
  get run(): string {
    return `run${this.#runs}`;
  }

  /** What a publisher is asked to do, by this run about this pull request. */
  call(effect: Effect, more: Partial<Performance> = {}): Performance {
    return { run: this.run, key: 'step.1', event: this.event, effect, ...more };
  }

  /** Opens another pull request from a branch of its own. */
  async openPull(branch: string, files: Files): Promise<Event> {
    const repo = this.gh.repository(this.#fullName);
    const alice = this.gh.person('alice', { [this.#fullName]: 'write' });
    await alice.push(repo, branch, files);
    const pull = await alice.openPull(repo, { head: branch, title: branch });
    this.event = makeEvent(this.event.installation, this.event.repository, pull.number);
    await this.refresh();
    return this.event;
  }

  /** Reads the head and base of the pull request into the event. */
  async refresh(): Promise<void> {
    const pull = await this.read<{ head: { ref: string; sha: string }; base: { ref: string; sha: string } }>(
      'GET /repos/{owner}/{repo}/pulls/{n}',
    );
    const resource = { ...this.event.resource, head: { ...pull.head, fullName: this.#fullName, fork: false }, base: pull.base } as Resource;
    this.event = { ...this.event, resource };
  }

  /** What stands on GitHub, read as the App sees it. */
  async read<T>(route: string, more: Record<string, unknown> = {}): Promise<T> {
    this.#api ??= await this.app.api(this.event.installation, this.event.repository.id, 'review');
    const { owner, name: repo } = this.event.repository;
    const { data } = await this.#api.request(route, { owner, repo, n: this.number, per_page: 100, ...more });
    return data as T;
  }

  /** The commit at the head of the pull request. */
  get head(): string {
    return 'head' in this.event.resource ? this.event.resource.head.sha : '';
  }

  get number(): number {
    return 'number' in this.event.resource ? this.event.resource.number : 0;
  }

  comments(): Promise<{ id: number; body: string; html_url: string }[]> {
    return this.read('GET /repos/{owner}/{repo}/issues/{n}/comments');
  }

  reviews(): Promise<{ id: number; body: string; state: string; html_url: string; commit_id: string }[]> {
    return this.read('GET /repos/{owner}/{repo}/pulls/{n}/reviews');
  }

  reviewComments(): Promise<
    { id: number; body: string; path: string; line?: number | null; side: string; start_line: number | null; subject_type: string }[]
  > {
    return this.read('GET /repos/{owner}/{repo}/pulls/{n}/comments');
  }

  async find(run: string, ...findings: (Partial<Finding> & { id: string })[]): Promise<void> {
    for (const f of findings)
      await this.drafts.add(run, { path: 'src/a.ts', side: 'RIGHT', body: `Finding ${f.id}.`, rung: 'line', key: f.id, ...f });
  }

  /** The change as GitHub's own comparison shows it. */
  async diff({ resource }: Event): Promise<Diff> {
    if (resource.kind !== 'pr') throw new Error('no pull request');
    const basehead = `${resource.base.sha}...${resource.head.sha}`;
    const { files } = await this.read<{ files: PatchFile[] }>('GET /repos/{owner}/{repo}/compare/{basehead}', { basehead });
    return { base: resource.base.sha, head: resource.head.sha, mergeBase: resource.base.sha, files: files.map(toDiffFile) };
  }
}

/** What an effect that was carried out gave; throws for any other outcome. */
export function resultOf<T>(outcome: Outcome): T {
  if (outcome.status !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.result as T;
}

/** The text of a file of so many rows. */
export function rows(count: number): string {
  return Array.from({ length: count }, (_, k) => `row ${k + 1}\n`).join('');
}

interface PatchFile {
  filename: string;
  previous_filename?: string;
  status: string;
  patch?: string;
  additions: number;
  deletions: number;
}

function makeEvent(installation: number, repository: { id: number; fullName: string }, number: number): Event {
  const { id, fullName } = repository;
  const [owner = '', name = ''] = fullName.split('/');
  const whole = { id, fullName, owner, name, defaultBranch: 'main', private: true, cloneUrl: '' };
  const head = { ref: '', sha: '', fullName, fork: false };
  const alice = { id: 1, login: 'alice', bot: false };
  const resource: Resource = { kind: 'pr', repository: whole, number, url: '', head, base: { ref: '', sha: '' } };
  return {
    name: 'pull_request_opened',
    delivery: 'd',
    installation,
    repository: whole,
    resource,
    actor: alice,
    author: alice,
    context: {} as Event['context'],
  };
}

function toDiffFile(file: PatchFile): DiffFile {
  const { filename: path, previous_filename: previous, patch, additions, deletions } = file;
  const known = ['added', 'modified', 'removed', 'renamed', 'copied'] as const;
  const status = known.find((s) => s === file.status) ?? 'mode';
  const hunks = patch === undefined ? [] : patch.split(/\n(?=@@ )/).map(toHunk);
  const binary = patch === undefined && status === 'modified';
  return { path, ...(previous === undefined ? {} : { previous }), status, binary, additions, deletions, hunks, text: patch ?? '' };
}

function toHunk(text: string): Hunk {
  const [header = '', ...rows] = text.split('\n');
  const [oldStart = 0, newStart = 0] = [...header.matchAll(/[-+](\d+)/g)].slice(0, 2).map((m) => Number(m[1]));
  let [old, now] = [oldStart, newStart];
  const lines = rows
    .filter((row) => !row.startsWith('\\'))
    .map((row): DiffLine => {
      const line = { text: row.slice(1) };
      if (row[0] === '+') return { kind: '+', ...line, new: now++ };
      if (row[0] === '-') return { kind: '-', ...line, old: old++ };
      return { kind: ' ', ...line, old: old++, new: now++ };
    });
  return { header, oldStart, newStart, lines };
}
