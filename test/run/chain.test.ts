import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceKey } from '../../src/journal/resource.ts';
import { linkChain } from '../../src/run/chain.ts';
import { agentStep, eventOn, House, startOf } from '../session/house.ts';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const SELF = 'pitwall[bot]';
const bot = { id: 9, login: SELF, bot: true };

/** Starts one run after another on one pull request, each by the next of these actors and workflows, as far as the chain allows. */
async function grow(actors: { by: 'ana' | 'self'; path: string }[]) {
  const first = eventOn();
  const links = [];
  for (const [at, { by, path }] of actors.entries()) {
    const event = { ...first, delivery: randomUUID(), actor: by === 'self' ? bot : first.actor };
    const link = await linkChain(house.process().services, event, { path, self: SELF });
    links.push('reason' in link ? link.reason : link.chain);
    if ('reason' in link) continue;
    const start = startOf({ steps: [agentStep('a')] }, { event, chain: link.chain });
    await house.begin({ ...start, workflow: { ...start.workflow, path } });
    await house.store.listRun(start.run, resourceKey(event.resource), 1_000 + at);
  }
  return links;
}

const person = (path: string) => ({ by: 'ana' as const, path });
const itself = (path: string) => ({ by: 'self' as const, path });

describe('a chain of runs', () => {
  it('begins anew with each thing that a person does', async () => {
    expect(await grow([person('a'), person('a'), person('a'), itself('a'), person('a')])).toEqual([0, 0, 0, 1, 0]);
  });

  it('that the app causes is eight long at most, and goes on after a person', async () => {
    const own = Array.from({ length: 8 }, (_, k) => itself(`w${k}`));
    const links = await grow([person('first'), ...own, person('again'), itself('w0')]);
    expect(links).toEqual([
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      expect.stringContaining('a chain of its runs may be 8 long (setting chain.length)'),
      0,
      1,
    ]);
  });

  it('runs a workflow twice at most', async () => {
    const links = await grow([person('a'), itself('a'), itself('a'), itself('b'), itself('b'), itself('b')]);
    const tooOften = expect.stringContaining('ran 2 times in this chain already (setting chain.perWorkflow)');
    expect(links).toEqual([0, 1, tooOften, 2, 3, tooOften]);
  });
});
