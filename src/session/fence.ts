import type { Store } from '../store/store.ts';

/**
 * Says, right before a write, whether the work that wants it is still open: neither its run nor its delegation has ended, or is gone. A process that was
 * frozen, or cut off, may come back to its call long after others have ended both.
 */
export function whileOpen({ journals }: Pick<Store, 'journals'>, run: string, journal = run): () => Promise<boolean> {
  return async () => {
    const [ofRun, ofWork] = await journals.lastOf([run, journal]);
    return ofRun != null && ofRun.type !== 'run.ended' && (journal === run || ofWork?.type !== 'delegation.ended');
  };
}
