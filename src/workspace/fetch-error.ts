import { Fatal } from '../journal/errors.ts';
import { GitFailed } from './git.ts';

/** The server has no such branch, tag or pull request. */
export function isMissingRef(error: unknown): boolean {
  return error instanceof GitFailed && /couldn't find remote ref|couldn.t find remote ref/i.test(error.stderr);
}

/** The server does not have the commit, or does not hand out commits by id. */
export function isMissingCommit(error: unknown): boolean {
  return error instanceof GitFailed && (isMissingRef(error) || /not our ref|unadvertised object|no such remote ref/i.test(error.stderr));
}

/** Turns what git said about a fetch into what to do about it: `Fatal` where another try is no use, else an error that is tried again. */
export function explainFetch(error: unknown, fullName: string): unknown {
  if (!(error instanceof GitFailed)) return error;
  const said = error.stderr;
  const missing = /couldn't find remote ref (\S+)/i.exec(said)?.[1];
  if (missing)
    return new Fatal(
      `${fullName} has no ${missing.replace(/^refs\/heads\//, 'branch ')}: name one that exists, or leave \`branch\` empty for the default branch.`,
    );
  if (/repository .*not found|returned error: 404|does not appear to be a git repository/i.test(said)) {
    return new Fatal(
      `${fullName} cannot be fetched: it does not exist, or the app is not installed on it. Install the app there with "Contents: read".`,
    );
  }
  if (/authentication failed|could not read username|returned error: 40[13]/i.test(said)) {
    return new Fatal(
      `${fullName} cannot be fetched: GitHub refused the app's token. Check that the installation covers it and has "Contents: read".`,
    );
  }
  if (/transport '.*' not allowed/i.test(said))
    return new Fatal(`${fullName} cannot be fetched: ${error.message}. Only https (http where the API is http) is allowed.`);
  if (/fsck error|error in fsck|error in object/i.test(said)) {
    return new Fatal(
      `${fullName} holds an object that git itself calls damaged or dangerous and was not fetched: ${error.message}. Run \`git fsck\` in a clone.`,
    );
  }
  return error;
}
