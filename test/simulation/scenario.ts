import { LOGIN, NUMBER } from './github.ts';

type Below = (bound: number) => number;

/** What happens from outside in one simulation. Times in ms from its begin. */
export interface Scenario {
  /** One in five: several of everything. The others are about one session, so that many can be played. */
  large: boolean;
  processes: number;
  files: Record<string, string>;
  deliveries: { at: number; id: string; event: string; body: string }[];
  comments: { at: number; id: number; text: string }[];
  /** Wakes that nobody asked for. */
  wakes: number[];
  troubles: { crashes: number; freezes: number; losses: number };
  moods: number;
  tokens: number | null;
  reports: boolean;
}

const AGENT = '---\nname: A\ntools: [add_comment_to_pull_request]\n---\nYou look.\n';
const ANA = { id: 1, login: 'ana', type: 'User' };
const BEN = { id: 2, login: 'ben', type: 'User' };
const ENVELOPE = {
  installation: { id: 1 },
  repository: { id: 7, full_name: 'acme/app', private: false, default_branch: 'main', clone_url: 'https://github.example/acme/app.git' },
  sender: ANA,
};
const BRANCHES = {
  head: { ref: 'feature', sha: 'b'.repeat(40), repo: { id: 7, full_name: 'acme/app' } },
  base: { ref: 'main', sha: 'a'.repeat(40), repo: { id: 7 } },
};

/** Draws a scenario: one or two workflows for a pull request, comments while they work, and how much goes wrong, which is as much in a small one. */
export function drawScenario(below: Below): Scenario {
  const large = below(5) === 0;
  const times = Array.from({ length: below(large ? 3 : 2) }, () => 500 + below(50_000)).sort((a, b) => a - b);
  const comments = times.map((at, k) => ({ at, id: k + 1, text: `remark ${k + 1}` }));
  if (below(3) === 0) comments.push({ at: 20_000 + below(120_000), id: 99, text: '/done' });
  const closed = below(8) === 0 ? [{ at: 20_000 + below(100_000), id: 'closed', event: 'pull_request', body: pull('closed') }] : [];
  const opened = [{ at: 0, id: 'opened', event: 'pull_request', body: pull('opened') }];
  const said = comments.map(({ at, id, text }) => ({ at, id: `comment-${id}`, event: 'issue_comment', body: comment(id, text) }));
  const all = [...opened, ...said, ...closed];
  const again = all.flatMap((one) =>
    below(5) === 0 ? [{ ...one, at: one.at + below(20_000), ...(below(2) ? { id: `${one.id}-again` } : {}) }] : [],
  );
  return {
    large,
    processes: 1 + below(large ? 3 : 2),
    files: filesOf(below, large),
    deliveries: [...all, ...again],
    comments,
    wakes: Array.from({ length: below(3) }, () => below(60_000)),
    troubles: { crashes: below(5), freezes: below(3), losses: below(4) },
    moods: below(4),
    tokens: below(3) === 0 ? 8_000 + below(12_000) : null,
    reports: below(10) === 0,
  };
}

function filesOf(below: Below, large: boolean): Record<string, string> {
  const exitCriteria = { timeLimit: { maxDurationMinutes: [2, 5, large ? 25 : 5][below(3)] }, userSignals: { explicit: ['/done'] } };
  const params = {
    goal: 'Done',
    agentIds: ['a'],
    listenToComments: below(2) === 0,
    keepSessionOpenForComments: below(3) === 0,
    exitCriteria,
  };
  const session = { id: 's', action: 'agent.session', instruction: 'Talk.', params };
  const work = { id: 'w', action: 'agent.run', instruction: 'Work.', params: { agentId: 'a' } };
  const beside = large && below(2) === 0 ? [session, work] : [session];
  const flow = beside.length === 1 ? [{ from: '', to: 's' }] : ['s', 'w'].map((to) => ({ from: '', to }));
  const files = { '.overcut/agents/a.md': AGENT, '.overcut/workflows/talk.json': workflow('Talk', beside, flow) };
  if (below(large ? 3 : 12) > 0) return files;
  return { ...files, '.overcut/workflows/work.json': workflow('Work', [work], [{ from: '', to: 'w' }]) };
}

function workflow(name: string, steps: object[], flow: object[]): string {
  return JSON.stringify({ name, triggers: [{ event: 'pull_request_opened' }], steps, flow });
}

function pull(action: 'opened' | 'closed'): string {
  const item = {
    number: NUMBER,
    title: 'Change',
    state: action === 'opened' ? 'open' : 'closed',
    user: BEN,
    additions: 1,
    merged: false,
    auto_merge: null,
  };
  return JSON.stringify({
    ...ENVELOPE,
    action,
    pull_request: { ...item, ...BRANCHES, html_url: 'https://github.example/acme/app/pull/7' },
  });
}

function comment(id: number, body: string): string {
  const created_at = new Date(Date.UTC(2026, 0, 1, 0, 0, id)).toISOString();
  const issue = { number: NUMBER, title: 'Change', user: BEN, pull_request: {}, html_url: 'https://github.example/acme/app/pull/7' };
  return JSON.stringify({ ...ENVELOPE, action: 'created', issue, comment: { id, body, created_at, user: ANA, html_url: '' } });
}

export const IDENTITY = { slug: 'pitwall', login: LOGIN };
