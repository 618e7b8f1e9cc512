/** Told of everything that changes: what it was (`issue_comment.created`, `reaction.created`, ...), where, and on which issue or pull request. */
export type ChangeListener = (kind: string, repository: string, number: number | null) => void;

/** Who watches the double, such as a page that shows what is going on. Listeners must not throw. */
export class Changes {
  readonly #listeners = new Set<ChangeListener>();

  /** Adds a listener; the returned function takes it away. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(kind: string, repository: string, number: number | null = null): void {
    for (const listener of this.#listeners) listener(kind, repository, number);
  }
}
