import { Fatal } from '../journal/errors.ts';
import type { Checkout } from '../journal/tree.ts';
import type { Services } from '../session/services.ts';
import type { StepOf } from '../workflow/step.ts';
import { renderTemplate, renderValue, repositoriesOf, type TemplateData } from '../workflow/template-render.ts';
import type { StepRun } from './step.ts';

/**
 * Checks repositories out for a run. The commit is the event's head where `branch` names the head branch of its pull request, else that branch's tip.
 * The event's own repository is always allowed; others only where the workflow names them literally and settings allow it.
 */
export async function cloneRepositories(
  services: Services,
  run: StepRun,
  { step, data }: { step: StepOf<'git.clone'>; data: TemplateData },
): Promise<unknown> {
  const { event } = run.start;
  const names = repositoriesOf(renderValue(step.params.repoFullName, data));
  if (!names) throw new Fatal('repoFullName names no repository: give one name, a list of names, or a template for one');
  const branch = renderTemplate(step.params.branch, data).trim();
  const cloned: { repoFullName: string; commit: string; branch: string; path: string }[] = [];
  for (const name of names) {
    if (name.toLowerCase() !== event.repository.fullName.toLowerCase()) {
      throw new Fatal(
        `"${name}" is not the repository of this event; cloning others is not built yet: name {{trigger.repository.fullName}}`,
      );
    }
    const checkout = await cloneOnce(services, { run, name, branch, step });
    cloned.push({ repoFullName: name, commit: checkout.sha, branch: checkout.branch, path: `/workspace/${name}` });
  }
  return cloned.length === 1 ? cloned[0] : cloned;
}

async function cloneOnce(
  services: Services,
  { run, name, branch, step }: { run: StepRun; name: string; branch: string; step: StepOf<'git.clone'> },
): Promise<Checkout> {
  const { journal, start, signal } = run;
  const { resource, repository } = start.event;
  const key = `step/${step.id}/checkout/${name}`;
  const known = journal.find('checkout', key);
  if (known) return known.checkout;
  const pull = resource.kind === 'pr' ? { pull: resource } : {};
  const checkout = await services.workspace.clone({ repository, branch, ...pull, options: optionsOf(step), signal });
  await journal.append({ type: 'checkout', key, checkout });
  return checkout;
}

/** What of `cloneOptions` changes what an agent sees; the rest are hints (see `workspace/mirror.ts`). */
function optionsOf({ params: { cloneOptions } }: StepOf<'git.clone'>) {
  const { depth, sparseCheckout } = cloneOptions;
  return { depth: depth ?? 0, ...(sparseCheckout ? { sparseCheckout } : {}) };
}
