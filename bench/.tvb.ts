/**
 * Compares our transport with the SDK's default fetch: N calls at once over a loopback server that streams answers after a model's latency.
 *
 *   npx tsx bench/transport.ts [streams = 400] [rounds = 5] [latencyMs = 200]
 *
 * Each stream makes two calls after one another, as a sub-agent does. Prints the median wall and processor time of both and their ratio.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createModel } from '../src/agent/provider.ts';
import { createTransport } from './.tv.ts';

const [STREAMS = 400, ROUNDS = 5, LATENCY_MS = 200] = process.argv.slice(2).map(Number);
const DELTAS = 30;

if (process.send) serve();
else await compare();

function serve(): void {
  const answer = eventsOfAnswer();
  const server = createServer((req, res) => {
    req.resume();
    req.once('end', () =>
      setTimeout(() => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const event of answer) res.write(event);
        res.end();
      }, LATENCY_MS),
    );
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

function eventsOfAnswer(): string[] {
  const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const start = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'some words of an answer ' } };
  return [
    event({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } } as { type: string }),
    event(start),
    ...Array.from({ length: DELTAS }, () => event(delta)),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn' } } as { type: string }),
    event({ type: 'message_stop' }),
  ];
}

async function compare(): Promise<void> {
  const server = fork(new URL(import.meta.url), process.argv.slice(2));
  const port = await new Promise<number>((done) => server.once('message', (message) => done(Number(message))));
  const baseURL = `http://127.0.0.1:${port}`;
  const ways = {
    'default fetch': createModel({ apiKey: 'k', baseURL }),
    transport: createModel({ apiKey: 'k', baseURL, fetch: createTransport() }),
  };
  const rows: Record<string, { wall: number; cpu: number }[]> = { 'default fetch': [], transport: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, model] of Object.entries(ways)) {
      const row = await measure(model);
      if (round > 0) rows[name]?.push(row);
    }
  }
  server.kill();
  report(rows);
}

async function measure(model: ReturnType<typeof createModel>): Promise<{ wall: number; cpu: number }> {
  const request = {
    model: 'm',
    maxTokens: 100,
    system: 's'.repeat(4000),
    tools: [],
    messages: [{ role: 'user' as const, text: ['x'.repeat(4000)] }],
  };
  const [from, before] = [performance.now(), process.cpuUsage()];
  const stream = async () => {
    await model.ask(request, {});
    await model.ask(request, {});
  };
  await Promise.all(Array.from({ length: STREAMS }, stream));
  const used = process.cpuUsage(before);
  return { wall: performance.now() - from, cpu: (used.user + used.system) / 1000 };
}

function report(rows: Record<string, { wall: number; cpu: number }[]>): void {
  const median = (name: string, key: 'wall' | 'cpu') => rows[name]?.map((row) => row[key]).sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
  for (const name of Object.keys(rows))
    console.log(`${name}: ${median(name, 'wall').toFixed(0)} ms wall, ${median(name, 'cpu').toFixed(0)} ms processor`);
  const ratio = (key: 'wall' | 'cpu') => (median('default fetch', key) / median('transport', key)).toFixed(2);
  console.log(
    `default fetch / transport: ${ratio('wall')} wall, ${ratio('cpu')} processor (${STREAMS} streams of 2 calls, ideal ${2 * LATENCY_MS} ms)`,
  );
}
