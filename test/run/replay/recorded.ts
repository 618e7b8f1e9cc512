import { recordTape, type Tape } from '../../../src/run/replay/tape.ts';
import { defaultSettings } from '../../../src/workflow/settings.ts';
import { agentOf, agentStep, commentOn, eventOn, type House, type Play, session, startOf } from '../../session/house.ts';

const AGENT = agentOf('a', { tools: ['write_file', 'append_file', 'list_dir', 'add_comment_to_pull_request'] });
const call = (name: string, input: object) => ({ name, input });

/** A session with two workers that write files, a shared one too, and notes; then a step that comments. */
const workTogether: Play = ({ coordinates, turn, told, results }) => {
  if (coordinates) {
    if (turn === 0)
      return { calls: [call('update_status', { message: 'begun' }), call('write_scratchpad', { name: 'plan', content: 'two parts' })] };
    if (turn === 1) {
      const task = (n: number) => ({ agentId: 'a', instructions: `worker ${n}`, expect: { scratchpad: `notes-${n}` } });
      return { calls: [1, 2].map((n) => call('delegate_to_sub_agent', task(n))) };
    }
    return { calls: [call('task_completed', { message: results.map((one) => one.text).join(' and ') })] };
  }
  const who = /worker (\d)/.exec(told)?.[1];
  if (!who) return turn === 0 ? { calls: [call('add_comment_to_pull_request', { body: 'Looked at it.' })] } : { text: 'said' };
  if (turn > 0) return { text: `part ${who}` };
  return {
    calls: [
      call('write_file', { path: `${who}.txt`, content: who }),
      call('append_file', { path: 'both.txt', content: `by ${who}` }),
      call('append_scratchpad', { name: `notes-${who}`, content: `by ${who}` }),
    ],
  };
};

export async function recordOf(house: House, run: string): Promise<Tape> {
  const tape = await recordTape(house.store, run, { ...defaultSettings(), ...house.settings });
  if (!tape) throw new Error(`no record of ${run}`);
  return tape;
}

/** A session with two delegations and a step after it, and what its agents do. */
export const together = {
  play: workTogether,
  start: () => startOf({ steps: [session('s'), agentStep('say')] }, { agents: [AGENT], event: eventOn() }),
};

export async function playTogether(house: House): Promise<string> {
  house.play = workTogether;
  const run = await house.begin(together.start());
  const waits = await house.process().drive(run);
  if (waits !== null) throw new Error(`the run waits: ${waits}`);
  return run;
}

let pulls = 500;

/** Plays a session that answers two comments, one of them in a thread, and ends by its signal. */
export async function playTalk(house: House): Promise<string> {
  house.play = ({ told, turn }) => {
    if (told.includes('This is your last turn')) return { calls: [call('task_completed', { message: 'Goodbye.' })] };
    const asked = told.match(/question \d/g) ?? [];
    return turn === 0 ? { text: 'Ready?' } : { text: `heard ${asked.at(-1) ?? 'nothing'}` };
  };
  const number = ++pulls;
  const params = {
    listenToComments: true,
    keepSessionOpenForComments: true,
    exitCriteria: { timeLimit: { maxDurationMinutes: 30 }, userSignals: { explicit: ['/done'] } },
  };
  const event = commentOn(number, { id: 1, text: 'start' });
  const start = startOf({ steps: [session('talk', params)] }, { event: { ...event, name: 'pull_request_opened' } });
  const run = await house.begin(start);
  const process = house.process();
  for (const [id, text] of [
    [3, 'question 1'],
    [4, 'question 2'],
    [5, '/done'],
  ] as const) {
    await process.drive(run);
    await post(house, { run, number, id, text });
  }
  await process.drive(run);
  return run;
}

async function post(house: House, { run, number, id, text }: { run: string; number: number; id: number; text: string }): Promise<void> {
  const { comment } = commentOn(number, { id, text });
  const letter = { ...comment, comment: id, author: comment.author.login, signal: text === '/done', path: 'a.txt', line: 3 };
  const taken = await house.store.mailboxes.post(`7:pr:${number}`, { run, step: 'talk' }, letter);
  if (!taken) throw new Error(`comment ${id} was not taken`);
}
