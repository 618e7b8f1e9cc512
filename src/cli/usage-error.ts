/** The command was asked for something that cannot be: exit code 2, and the text says what to give instead. */
export class UsageError extends Error {
  override name = 'UsageError';
}
