import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the double does with one request: a status with headers, or a stream of events that may stop, stay silent or break off. */
export type Reply =
  | { status: number; headers?: Record<string, string>; body?: unknown }
  | { events: object[]; end?: 'close' | 'cut' | 'stay'; gapMs?: number; type?: string };

export interface MessagesApi {
  url: string;
  /** Bodies of the requests, in order. */
  requests: { body: Body; headers: Record<string, unknown> }[];
  /** How many connections were closed by the client before the answer was sent. */
  left: () => number;
  stop(): Promise<void>;
}

export interface Body {
  model: string;
  system?: { text: string; cache_control?: unknown }[];
  tools?: { name: string; cache_control?: unknown }[];
  messages: {
    role: string;
    content: { type: string; text?: string; content?: string; cache_control?: unknown; name?: string; input?: unknown }[];
  }[];
}

/** A double of the Messages API: answers the n-th request with the n-th reply, the last one for ever. */
export async function startMessagesApi(...replies: Reply[]): Promise<MessagesApi> {
  const requests: MessagesApi['requests'] = [];
  let left = 0;
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    res.on('close', () => (left += res.writableFinished ? 0 : 1));
    const reply = replies[Math.min(requests.length, replies.length - 1)];
    requests.push({ body: JSON.parse(Buffer.concat(parts).toString()), headers: req.headers });
    await answer(res, reply ?? { status: 500 });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => {
    server.closeAllConnections();
    return new Promise<void>((done) => void server.close(() => done()));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, left: () => left, stop };
}

async function answer(res: ServerResponse, reply: Reply): Promise<void> {
  if ('status' in reply) {
    const type = { 'content-type': 'application/json' };
    res
      .writeHead(reply.status, { ...type, ...reply.headers })
      .end(JSON.stringify(reply.body ?? { type: 'error', error: { type: 'x', message: 'no' } }));
    return;
  }
  res.writeHead(200, { 'content-type': reply.type ?? 'text/event-stream' });
  res.flushHeaders();
  for (const event of reply.events) {
    if (reply.gapMs) await new Promise((done) => setTimeout(done, reply.gapMs));
    res.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  if (reply.end === 'cut') setTimeout(() => res.destroy(), 5);
  else if (reply.end !== 'stay') res.end();
}

const USAGE = { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 5, cache_creation_input_tokens: 2 };

/** Events of an answer with a text and tool calls, whose input may be given as broken text. */
export function said(
  text: string,
  calls: { name: string; json: string; id?: string }[] = [],
  stop = calls.length ? 'tool_use' : 'end_turn',
): object[] {
  const blocks = [
    { start: { type: 'text', text: '' }, deltas: [...text].map((letter) => ({ type: 'text_delta', text: letter })) },
    ...calls.map(({ name, json, id }, at) => ({
      start: { type: 'tool_use', id: id ?? `toolu_${at}`, name, input: {} },
      deltas: (json.match(/[\s\S]{1,7}/g) ?? []).map((part) => ({ type: 'input_json_delta', partial_json: part })),
    })),
  ];
  return [
    { type: 'message_start', message: { id: 'msg_1', model: 'claude-test', usage: USAGE } },
    { type: 'ping' },
    ...blocks.flatMap(({ start, deltas }, index) => [
      { type: 'content_block_start', index, content_block: start },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: stop }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ];
}
