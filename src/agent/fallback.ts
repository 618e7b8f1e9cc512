import { type Model, ModelUnavailable } from './model.ts';

/**
 * Asks another model while one is unavailable, until the time at which that one may be back. `fallbackOf` names it by id, or null. Where both are away the wait
 * is for the one that may be back first. What answered stands in the answer, so that it is paid for at its own price.
 */
export function fallBack(model: Model, fallbackOf: (id: string) => string | null, now: () => number = Date.now): Model {
  const away = new Map<string, ModelUnavailable>();
  const ask: Model['ask'] = async (request, options) => {
    const other = fallbackOf(request.model);
    if (other === null || other === request.model) return model.ask(request, options);
    const known = away.get(request.model);
    if (known && known.retryAt > now()) return askOther(known);
    try {
      const answer = await model.ask(request, options);
      away.delete(request.model);
      return answer;
    } catch (error) {
      if (!(error instanceof ModelUnavailable)) throw error;
      away.set(request.model, error);
      return askOther(error);
    }

    async function askOther(first: ModelUnavailable) {
      try {
        return await model.ask({ ...request, model: other ?? request.model }, options);
      } catch (error) {
        if (!(error instanceof ModelUnavailable)) throw error;
        throw new ModelUnavailable(`${first.message}; its fallback too: ${error.message}`, Math.min(first.retryAt, error.retryAt));
      }
    }
  };
  return { ask };
}
