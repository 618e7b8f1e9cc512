import type { Services } from './services.ts';

/** Under which name one step of a run is told to end, while the run goes on behind it. `key`: the step's place in the journal. */
export function stepOrder(run: string, key: string): string {
  return `${run}/${key}`;
}

/** Why a step has to end now: its run was told to, or the step alone; null where neither was. */
export function orderFor({ store }: Pick<Services, 'store'>, run: string, key: string): Promise<string | null> {
  return store.cancels.reasonOf(run, stepOrder(run, key));
}
