import type { Location } from './document.ts';

/** One entry of `errors` in a GraphQL answer. */
export interface GraphProblem {
  message: string;
  type?: string;
  path?: (string | number)[];
  locations?: Location[];
  extensions?: Record<string, unknown>;
}

/** What a field is refused with; `type` is GitHub's word: NOT_FOUND, FORBIDDEN, UNPROCESSABLE, ... */
export class GraphRefusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.name = 'GraphRefusal';
    this.type = type;
  }
}
