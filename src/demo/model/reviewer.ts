import { directAgent } from './agent.ts';
import type { Call, Reply } from './call.ts';
import { directCoordinator } from './coordinator.ts';

/**
 * The scripted reviewer: what stands in for a language model where none is connected. It keeps no state; all it does follows from the conversation, so a
 * process may crash, resume or ask twice. It sees only what can be seen line by line and says in every text that it is scripted.
 */
export function directReview(call: Call): Reply {
  return isCoordinator(call) ? directCoordinator(call) : directAgent(call);
}

/** A coordinator can delegate, or could until its last turn. */
function isCoordinator(call: Call): boolean {
  return call.offers('delegate_to_sub_agent') || call.done('delegate_to_sub_agent').length > 0;
}
