import type { Account, PullItem } from './state.ts';

/** A workflow of the repository's own CI. */
export interface Workflow {
  id: number;
  name: string;
  path: string;
  dispatches: { ref: string; inputs: Record<string, unknown> }[];
}

/** One run of a CI workflow. */
export interface WorkflowRun {
  id: number;
  suiteId: number;
  workflow: Workflow;
  number: number;
  attempt: number;
  branch: string;
  sha: string;
  event: string;
  status: string;
  conclusion: string | null;
  actor: Account;
  pulls: PullItem[];
  createdAt: number;
  startedAt: number;
  updatedAt: number;
  reruns: string[];
}

/** One job of a CI run with its log. */
export interface Job {
  id: number;
  run: WorkflowRun;
  name: string;
  status: string;
  conclusion: string | null;
  createdAt: number;
  steps: { name: string; conclusion: string | null }[];
  log: string;
}
