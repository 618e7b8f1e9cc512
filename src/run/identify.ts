import type { Listed } from '../github/discovery.ts';
import type { Event } from '../journal/event.ts';
import { type Candidate, type Choice, type ChoiceWork, chooseRepositories } from '../session/repository-choice.ts';
import type { Services } from '../session/services.ts';
import type { StepOf } from '../workflow/step.ts';
import { renderTemplate, type TemplateData } from '../workflow/template-render.ts';
import { mayReach } from './reach.ts';

/** How many repositories a model is shown, and of how many at most it is asked whether they may be shown. */
const MOST_SHOWN = 50;
const MOST_JUDGED = 75;
const LONGEST_DESCRIPTION = 300;
const MOST_TOPICS = 10;
const LONGEST_REASON = 500;

/**
 * Finds the repositories that the event is about among those that the run may look into, by the model. What it names beside them is dropped; where nothing
 * reaches `minConfidence` it is the event's own. Candidates are written down, so that a run that is woken again chooses among the same.
 */
export async function identifyRepositories(
  services: Services,
  step: StepOf<'repo.identify'>,
  { work, data }: { work: ChoiceWork; data: TemplateData },
): Promise<Choice[]> {
  const { event } = work.start;
  const own = event.repository.fullName;
  const hints = renderTemplate(step.params.identificationHints, data);
  const candidates = await work.journal.once(`step/${step.id}/candidates`, () => findCandidates(services, work, hints));
  if (candidates.length <= 1) return [{ repoFullName: own, confidence: 1, reason: 'No other repository can be looked into.' }];
  const chosen = known(await chooseRepositories(services, step, { work, candidates, hints }), candidates)
    .filter(({ confidence }) => confidence >= step.params.minConfidence)
    .slice(0, step.params.maxResults);
  if (chosen.length > 0) return chosen;
  return [{ repoFullName: own, confidence: 0, reason: `No repository was named with a confidence of ${step.params.minConfidence}.` }];
}

/** The event's own repository, and of the others those that its words fit best. */
async function findCandidates(services: Services, { start }: ChoiceWork, hints: string): Promise<Candidate[]> {
  const { event } = start;
  const words = wordsOf([textOf(event), hints].join(' '));
  const listed = await services.github.discovery(event).list();
  const own = listed.find(({ repository }) => repository.id === event.repository.id);
  const others = listed
    .filter((one) => one !== own)
    .map((one) => ({ one, score: scoreOf(one, words) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_JUDGED)
    .map(({ one }) => one);
  const open = await Promise.all(others.map((one) => mayReach(services, start, one)));
  const first = own ?? { repository: event.repository, description: event.context.repository.description, language: '', topics: [] };
  return [first, ...others.filter((_, at) => open[at])].slice(0, MOST_SHOWN).map(toCandidate);
}

function toCandidate({ repository, description, language, topics }: Listed): Candidate {
  return {
    repoFullName: repository.fullName,
    description: description.slice(0, LONGEST_DESCRIPTION),
    language,
    topics: topics.slice(0, MOST_TOPICS),
  };
}

function textOf({ context, comment }: Event): string {
  const item = context.pullRequest ?? context.issue;
  return [item?.title, item?.body, comment?.body].filter(Boolean).join(' ');
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []);
}

/** How many words of the event stand in a repository's name (which count three times), description, topics and language. */
function scoreOf({ repository, description, language, topics }: Listed, words: Set<string>): number {
  const shared = (text: string) => [...wordsOf(text)].filter((word) => words.has(word)).length;
  return 3 * shared(repository.name.replaceAll('_', ' ')) + shared([description, language, ...topics].join(' '));
}

/** What the model named of the candidates, under their own names, each once, the likeliest first. */
function known(choices: Choice[], candidates: Candidate[]): Choice[] {
  const names = new Map(candidates.map(({ repoFullName }) => [repoFullName.toLowerCase(), repoFullName]));
  const found = choices.flatMap((choice) => {
    const repoFullName = names.get(choice.repoFullName.trim().toLowerCase());
    return repoFullName === undefined ? [] : [{ ...choice, repoFullName, reason: choice.reason.slice(0, LONGEST_REASON) }];
  });
  const sorted = found.sort((a, b) => b.confidence - a.confidence);
  return sorted.filter((choice, at) => sorted.findIndex((one) => one.repoFullName === choice.repoFullName) === at);
}
