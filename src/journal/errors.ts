/** Shown to the model as an error result: says what went wrong with its call and what would have worked. Never used for infrastructure. */
export class ToolError extends Error {
  override name = 'ToolError';
}

/** Nothing more can be done now: the run suspends, its job ends, no slot is held. `until` (ms since 1970, Redis time) asks for a timer. */
export class Pending extends Error {
  override name = 'Pending';
  readonly until: number | null;

  constructor(what: string, until: number | null = null) {
    super(`waiting for ${what}`);
    this.until = until;
  }
}

/** Another writer owns the journal now: abort the call in hand, write nothing more, stop. */
export class Superseded extends Error {
  override name = 'Superseded';
}

/** A newer build wrote this journal: it is neither read nor touched here. The text says what to do. */
export class NewerJournal extends Error {
  override name = 'NewerJournal';
}

/** A step or delegation cannot succeed, however often it is tried; the text is shown to people. */
export class Fatal extends Error {
  override name = 'Fatal';
}
