import { Fatal } from '../journal/errors.ts';
import type { Repository } from '../journal/resource.ts';
import type { Checkout } from '../journal/tree.ts';
import { endedSteps } from '../journal/view.ts';
import type { Services } from '../session/services.ts';
import type { StepOf } from '../workflow/step.ts';
import { renderTemplate, renderValue, repositoriesOf, type TemplateData } from '../workflow/template-render.ts';
import { isListed, mayReach } from './reach.ts';
import type { StepRun } from './step.ts';

/** One repository that a step wants, by the name that its parameter resolved to. */
interface Wanted {
  run: StepRun;
  step: StepOf<'git.clone'>;
  name: string;
  branch: string;
}

/**
 * Checks repositories out for a run, side by side. The commit is the event's head where `branch` names the head branch of its pull request, else that
 * branch's tip. The event's own repository is always allowed; another one only where something other than the event named it (the step's own text, a
 * `repo.identify` step, the setting `clonesFrom`), the installation has it, and the run may look into it (`mayReach`).
 */
export async function cloneRepositories(
  services: Services,
  run: StepRun,
  { step, data }: { step: StepOf<'git.clone'>; data: TemplateData },
): Promise<unknown> {
  const names = repositoriesOf(renderValue(step.params.repoFullName, data));
  if (!names) throw new Fatal('repoFullName names no repository: give one name, a list of names, or a template for one');
  const branch = renderTemplate(step.params.branch, data).trim();
  const cloned: { repoFullName: string; commit: string; branch: string; path: string }[] = [];
  for (const name of new Map(names.map((one) => [one.toLowerCase(), one.slice(0, 200)])).values()) {
    const checkout = await cloneOnce(services, { run, step, name, branch });
    const { fullName } = checkout.repository;
    cloned.push({ repoFullName: fullName, commit: checkout.sha, branch: checkout.branch, path: `/workspace/${fullName}` });
  }
  return cloned.length === 1 ? cloned[0] : cloned;
}

async function cloneOnce(services: Services, wanted: Wanted): Promise<Checkout> {
  const { run, step, name, branch } = wanted;
  const { journal, start, signal } = run;
  const key = `step/${step.id}/checkout/${name}`;
  const known = journal.find('checkout', key);
  if (known) return known.checkout;
  const { resource } = start.event;
  const repository = await findRepository(services, wanted);
  const pull = resource.kind === 'pr' && repository.id === start.event.repository.id ? { pull: resource } : {};
  const checkout = await services.workspace.clone({ repository, branch, ...pull, options: optionsOf(step), signal });
  await journal.append({ type: 'checkout', key, checkout });
  return checkout;
}

/** The refusal is the same whether a repository is not there or must not be seen, so that asking tells nothing. */
async function findRepository(services: Services, wanted: Wanted): Promise<Repository> {
  const { event } = wanted.run.start;
  if (isSame(wanted.name, event.repository.fullName)) return event.repository;
  if (!isNamed(services, wanted)) {
    throw new Fatal(
      `"${wanted.name}" is not cloned: only the event named it. Name the repository in the git.clone step itself, let a repo.identify step choose it, or list it in the setting clonesFrom`,
    );
  }
  const listed = await services.github.discovery(event).find(wanted.name);
  if (listed && (await mayReach(services, wanted.run.start, listed))) return listed.repository;
  throw new Fatal(
    `"${wanted.name}" is not cloned: either the App is not installed on it together with ${event.repository.fullName}, or it is private and this run may not look into it. ` +
      'Install the App on it; for a private one list it in the setting clonesFrom, or have the run started by somebody who may read it, in a private repository',
  );
}

/** Whether somebody other than the event's texts named the repository. */
function isNamed({ settings }: Services, { run, step, name }: Wanted): boolean {
  if (isListed(settings.clonesFrom, name)) return true;
  const literal = step.params.repoFullName.replace(/\{\{[\s\S]*?\}\}/g, ' ');
  if ((literal.match(/[\w.-]+\/[\w.-]+/g) ?? []).some((one) => isSame(one, name))) return true;
  const ended = endedSteps(run.journal.entries);
  return run.start.workflow.definition.steps.some(({ id, action }) => {
    const found = action === 'repo.identify' ? repositoriesOf(ended.get(id)?.output) : null;
    return found?.some((one) => isSame(one, name)) ?? false;
  });
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** What of `cloneOptions` changes what an agent sees; the rest are hints (see `workspace/mirror.ts`). */
function optionsOf({ params: { cloneOptions } }: StepOf<'git.clone'>) {
  const { depth, sparseCheckout } = cloneOptions;
  return { depth: depth ?? 0, ...(sparseCheckout ? { sparseCheckout } : {}) };
}
