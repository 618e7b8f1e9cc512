import type { ToolAnswer } from '../agent/tool.ts';
import type { Effect } from '../journal/effect.ts';
import { ToolError } from '../journal/errors.ts';
import type { ToolContext } from './context.ts';

/**
 * Publishes an effect and answers what GitHub gave back. A refusal is told to the model; an outcome that is not known is the infrastructure's, so the
 * job is tried again and the publisher looks it up.
 */
export async function publishEffect(context: ToolContext, effect: Effect): Promise<unknown> {
  const outcome = await context.publish(effect);
  switch (outcome.status) {
    case 'done':
      return outcome.result;
    case 'refused':
      throw new ToolError(`Not done: ${outcome.reason}.`);
    case 'unknown':
      throw new Error(`the outcome of ${effect.type} is not known yet: ${outcome.reason}`);
  }
}

/** A value as JSON for the model. */
export function answerJson(value: unknown): ToolAnswer {
  return { text: JSON.stringify(value) ?? 'null' };
}

/** The text of a comment; `ToolError` where there is none. */
export function needBody(body: string): string {
  if (body.trim() === '') throw new ToolError('body is empty: write what people should read.');
  return body;
}
