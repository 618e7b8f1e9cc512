import { z } from 'zod';
import type { GitHub } from '../github/github.ts';
import { Refusal } from '../github/refusal.ts';
import type { Repository } from '../github/state.ts';
import { mayWrite, type Part } from './person-choice.ts';
import type { Prepared } from './prepared.ts';

/** What somebody does on a pull request. */
export interface Deed {
  github: GitHub;
  repo: Repository;
  number: number;
  part: Part;
  prepared: Prepared;
}

/** Where the page goes afterwards: the number of another pull request, or null to stay. */
export type Outcome = number | null;

const NUMBER = z.coerce.number().int().positive();
const CommentForm = z.object({ body: z.string() });
const ReplyForm = z.object({ body: z.string(), comment: NUMBER });
const PressForm = z.object({ check: NUMBER, button: z.string().max(100).default('') });

type Action = (deed: Deed, form: unknown) => Outcome | Promise<Outcome>;

/** What can be posted, by the end of its address. Each throws Refusal in the words that are shown. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  comment({ github, repo, number, part }, form) {
    const { body } = read(CommentForm, form);
    github.person(part.login).comment(repo, number, withText(body));
    return null;
  },
  reply({ github, repo, number, part }, form) {
    const { body, comment } = read(ReplyForm, form);
    if (repo.reviewComments.get(comment)?.number !== number) throw new Refusal(404, 'This thread is no longer there: load the page again.');
    github.person(part.login).replyInThread(repo, comment, withText(body));
    return null;
  },
  press({ github, repo, number, part }, form) {
    const { check, button } = read(PressForm, form);
    requireWrite(repo, part, 'press the buttons of a check');
    const run = repo.checkRuns.get(check);
    if (!run || !repo.items.get(number)?.pull?.heads.has(run.sha))
      throw new Refusal(404, 'This check is no longer there: load the page again.');
    if (button !== '' && !run.actions.some(({ identifier }) => identifier === button))
      throw new Refusal(404, 'This button is no longer there: the check has changed meanwhile.');
    github.person(part.login).pressCheck(repo, run, button || undefined);
    return null;
  },
  async push({ repo, part, prepared }) {
    requireWrite(repo, part, 'push');
    await prepared.push(part.login);
    return null;
  },
  open({ repo, part, prepared }) {
    requireWrite(repo, part, 'push the branch of a pull request');
    return prepared.openSecond(part.login);
  },
};

function read<T>(schema: z.ZodType<T>, form: unknown): T {
  const { success, data } = schema.safeParse(form);
  if (!success) throw new Refusal(400, 'The form is not whole: load the page again.');
  return data;
}

function withText(body: string): string {
  const text = body.replace(/\r\n/g, '\n');
  if (text.trim() === '') throw new Refusal(422, 'There is nothing written yet: write a comment first.');
  return text;
}

function requireWrite(repo: Repository, { login }: Part, what: string): void {
  if (!mayWrite(repo, login))
    throw new Refusal(
      403,
      `${login} has no write permission on ${repo.fullName}, so GitHub does not let them ${what}. Be somebody else at the top.`,
    );
}
