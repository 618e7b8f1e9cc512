import { createHash } from 'node:crypto';

/**
 * Names what a delivery says: equal for a body as it was signed and for the same body as GitHub's list of deliveries tells it, with other spaces and
 * another order of keys. The event's name is no part of it, for the signature does not cover that: whoever sends a body again may choose another.
 */
export function digestBody(body: string): string {
  return createHash('sha256').update(canonical(body)).digest('hex');
}

/** A body that nests too deep to be written again stands for itself. */
function canonical(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), inOrder);
  } catch {
    return body;
  }
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
