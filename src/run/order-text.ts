import type { RunView } from '../journal/view.ts';
import type { Decision } from '../store/decisions.ts';
import { duration } from './report-text.ts';
import type { ShelvedWorkflow } from './workflows.ts';

const NEWEST = 20;
const BEGIN =
  'The default branch holds no workflow yet. To begin: `npx pitwall init` in a clone of this repository writes `.overcut/workflow.json`; commit it to the default branch, and open a pull request.';

/** The answer to `/why`: what was decided about the newest events, and why. */
export function whyText(decisions: Decision[]): string {
  if (decisions.length === 0)
    return 'Pitwall remembers no event of this pull request or issue (the setting retention.decisionDays says for how long it does).';
  const rows = decisions.slice(0, NEWEST).map((one) => {
    const run = one.run ? ` (run ${code(one.run)})` : '';
    return `- ${new Date(one.at).toISOString().slice(0, 19).replace('T', ' ')} ${code(one.event)}${one.workflow ? ` for **${plain(one.workflow)}**` : ''}: ${one.verdict}${run}. ${plain(one.reason)}`;
  });
  return ['What was decided, newest first (times in UTC):', '', ...rows].join('\n');
}

/** The answer to `/status`: the newest runs, and where each stands. */
export function statusText(views: RunView[]): string {
  if (views.length === 0) return 'No run of this pull request or issue is known.';
  const rows = views.map((view) => {
    const open = view.steps.find((step) => step.endedAt === null);
    const where = view.endedAt !== null || !open ? '' : `, step ${code(open.id)} is ${open.state}`;
    const time = duration((view.endedAt ?? Date.now()) - view.startedAt);
    return `- **${plain(view.start.workflow.name)}** (run ${code(view.start.run)}): ${view.state}${where}, ${time}${view.reason ? `. ${plain(view.reason)}` : ''}`;
  });
  return ['Runs here, newest first:', '', ...rows].join('\n');
}

/** The answer to `/help`: what can be said here. */
export function helpText(workflows: ShelvedWorkflow[]): string {
  const own = workflows.flatMap(({ workflow }) =>
    (workflow?.triggers ?? []).flatMap(({ slashCommand }) =>
      workflow && slashCommand ? [`- ${code(`/${slashCommand.command}`)} starts **${plain(workflow.name)}**`] : [],
    ),
  );
  const broken = workflows
    .filter(({ workflow }) => workflow === null)
    .map(({ path, problem }) => `- ${code(path)} has mistakes: ${plain(problem)}`);
  return [
    'People with write permission can say, as the first word of a line:',
    '',
    ...own,
    `- ${code('/why')} tells what was decided about the events here, and why`,
    `- ${code('/status')} tells what runs`,
    `- ${code('/cancel')} ends what runs here`,
    `- ${code('/retry')} runs the newest ended run again`,
    `- ${code('/ok-to-run')} allows runs for the newest commit of a pull request from a fork; ${code('/ok-to-run trusted')} without the limits of untrusted runs`,
    ...(workflows.length === 0 ? ['', BEGIN] : []),
    ...(broken.length > 0 ? ['', ...broken] : []),
  ].join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[`<>]/g, "'").trim().slice(0, 400);
}
