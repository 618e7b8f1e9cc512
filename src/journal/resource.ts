/** A repository as the webhook named it. `id` identifies it; `fullName` may change. */
export interface Repository {
  id: number;
  fullName: string;
  owner: string;
  name: string;
  defaultBranch: string;
  private: boolean;
  cloneUrl: string;
}

/** What a run is about: one run at a time each (spec: words used everywhere). */
export type Resource =
  | { kind: 'pr'; repository: Repository; number: number; url: string; head: Head; base: Branch }
  | { kind: 'issue'; repository: Repository; number: number; url: string }
  | { kind: 'branch'; repository: Repository; branch: string }
  | { kind: 'schedule'; repository: Repository; workflow: string };

/** A branch at a commit. */
export interface Branch {
  ref: string;
  sha: string;
}

/** The head of a pull request; `fork` when it lives in another repository, whose name is `fullName`. */
export interface Head extends Branch {
  fullName: string | null;
  fork: boolean;
}

/** The lock key of a resource. Names change, ids do not. */
export function resourceKey(resource: Resource): string {
  const { id } = resource.repository;
  switch (resource.kind) {
    case 'pr':
    case 'issue':
      return `${id}:${resource.kind}:${resource.number}`;
    case 'branch':
      return `${id}:branch:${resource.branch}`;
    case 'schedule':
      return `${id}:schedule:${resource.workflow}`;
  }
}
