import type { GitHub } from '../github/github.ts';
import { Refusal } from '../github/refusal.ts';
import type { SampleCommit, SamplePull } from '../sample/change.ts';
import type { PreparedState } from './screen.ts';

/** What is ready to be pushed: the next commit of a branch, and a second pull request. */
export interface PreparedWork {
  branch: string;
  next: SampleCommit;
  second: SamplePull;
}

/** The prepared commits of a repository: each can be pushed once. */
export class Prepared {
  readonly #github: GitHub;
  readonly #repository: string;
  readonly #work: PreparedWork;
  #next: Promise<string> | null = null;
  #second: Promise<number> | null = null;
  #state: { pushed: boolean; number: number | null } = { pushed: false, number: null };

  constructor(github: GitHub, repository: string, work: PreparedWork) {
    this.#github = github;
    this.#repository = repository;
    this.#work = work;
  }

  get state(): PreparedState {
    const { branch, next, second } = this.#work;
    return {
      next: { branch, message: next.message, pushed: this.#state.pushed },
      second: { title: second.title, number: this.#state.number },
    };
  }

  /** Pushes the next commit. Throws Refusal when that was done before. */
  async push(login: string): Promise<void> {
    if (this.#next) throw new Refusal(409, 'The next commit is pushed already; there is no further one.');
    const { branch, next } = this.#work;
    const work = this.#github.person(login).push(this.#repository, branch, next.files, { message: next.message });
    this.#next = work;
    work.catch(() => (this.#next = null));
    await work;
    this.#state.pushed = true;
  }

  /** Opens the second pull request, or answers the number of the one that is open. */
  async openSecond(login: string): Promise<number> {
    const work = this.#second ?? this.#open(login);
    this.#second = work;
    work.catch(() => (this.#second = null));
    this.#state.number = await work;
    return this.#state.number;
  }

  async #open(login: string): Promise<number> {
    const { branch, files, message, title, body } = this.#work.second;
    const person = this.#github.person(login);
    await person.push(this.#repository, branch, files, { message });
    const { number } = await person.openPull(this.#repository, { head: branch, title, body });
    return number;
  }
}
