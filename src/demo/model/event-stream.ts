import type { ServerResponse } from 'node:http';
import type { FaultKind } from './fault.ts';
import type { ContentBlock, MessageAnswer } from './messages.ts';

const PIECE = 200;

/** Sends an answer as server-sent events in the API's order, or breaks it in the way that `fault` names. */
export function streamAnswer(response: ServerResponse, answer: MessageAnswer, fault: FaultKind | null): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', 'request-id': answer.id });
  const send = (type: string, data: object) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('message_start', {
    message: { ...answer, content: [], stop_reason: null, usage: { ...answer.usage, output_tokens: 1 } },
  });
  send('ping', {});
  for (const [index, block] of answer.content.entries()) {
    send('content_block_start', { index, content_block: openingOf(block) });
    for (const delta of deltasOf(block, fault)) {
      send('content_block_delta', { index, delta });
      if (fault !== 'cut' || index < answer.content.length - 1) continue;
      cut(response);
      return;
    }
    send('content_block_stop', { index });
  }
  if (fault === 'sse-error') {
    send('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
    response.end();
    return;
  }
  send('message_delta', {
    delta: { stop_reason: answer.stop_reason, stop_sequence: null },
    usage: { output_tokens: answer.usage.output_tokens },
  });
  send('message_stop', {});
  response.end();
}

/** Ends the connection in the middle of an answer, after what was written has left. */
export function cut(response: ServerResponse): void {
  response.write('', () => response.destroy());
}

function openingOf(block: ContentBlock): ContentBlock {
  return block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
}

function deltasOf(block: ContentBlock, fault: FaultKind | null): object[] {
  const whole = block.type === 'text' ? String(block.text) : JSON.stringify(block.input);
  const text = fault === 'bad-json' && block.type === 'tool_use' ? whole.slice(0, -2) : whole;
  const pieces = Array.from({ length: Math.ceil(text.length / PIECE) }, (_, at) => text.slice(at * PIECE, (at + 1) * PIECE));
  return pieces.map((piece) =>
    block.type === 'text' ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece },
  );
}
