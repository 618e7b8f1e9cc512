import { attachmentsIn } from '../agent/attachments.ts';
import type { StepBrief } from '../agent/briefing.ts';
import type { Conversation } from '../github/conversation.ts';
import { ToolError } from '../journal/errors.ts';
import type { Services } from './services.ts';
import type { StepWork } from './session.ts';

/** What a step is told of what was said on its pull request or issue before it began. */
type Told = Pick<StepBrief, 'comments' | 'leftOut' | 'attachments'>;

const NOTHING: Conversation = { said: [], hidden: 0, older: 0 };
/** GitHub's times are whole seconds. */
const SECOND = 1_000;
const MOST_SAID = 60;

/**
 * The comments that a step may read, as they stood when it began, and the files that they and the resource's text link to. What was said later reaches a session as
 * letters. Recorded, so that nobody has to guess later what was told.
 */
export async function heardBefore(services: Services, work: StepWork, key: string): Promise<Told> {
  const { start, startedAt, journal } = work;
  const { event } = start;
  const noted = journal.find('noted', `${key}/conversation`);
  const whole = noted ? (noted.value as Conversation) : await read(services, work);
  if (!noted && whole !== NOTHING) await journal.append({ type: 'noted', key: `${key}/conversation`, value: whole });
  const comments = whole.said
    .filter(({ id, createdAt }) => id !== event.comment?.id && Date.parse(createdAt) + SECOND <= startedAt)
    .map(({ author, ...one }) => ({ ...one, author: { id: 0, login: author, bot: false } }));
  const text = (event.context.pullRequest ?? event.context.issue)?.body ?? '';
  return {
    comments,
    leftOut: { hidden: whole.hidden, older: whole.older },
    attachments: attachmentsIn([text, event.comment?.body ?? '', ...comments.map(({ body }) => body)]),
  };
}

async function read({ github }: Services, { start: { event, rules } }: StepWork): Promise<Conversation> {
  const { resource } = event;
  if (resource.kind !== 'pr' && resource.kind !== 'issue') return NOTHING;
  try {
    const found = await github.reader(event, rules).readConversation(resource);
    if (found.said.length === 0 && found.hidden === 0) return NOTHING;
    const left = Math.max(0, found.said.length - MOST_SAID);
    return { said: found.said.slice(left), hidden: found.hidden, older: found.older + left };
  } catch (error) {
    if (error instanceof ToolError) return NOTHING;
    throw error;
  }
}
