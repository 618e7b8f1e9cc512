import type { Changes } from '../github/changes.ts';
import { sentenceFor } from './sentence.ts';

const BEAT_MS = 15_000;

/** What is happening on the double, as server-sent events for one page: a sentence for each change, empty where there is nothing to say. */
export function changeStream(changes: Changes, watched: { repository: string; number: number }): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let end = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      const beat = setInterval(() => send(': still here\n\n'), BEAT_MS);
      const stop = changes.subscribe((kind, repository, number) => {
        if (repository !== watched.repository) return;
        const opened = kind === 'pull_request.opened';
        if (!opened && number !== null && number !== watched.number) return;
        send(`data: ${JSON.stringify(sentenceFor(kind))}\n\n`);
      });
      end = () => {
        clearInterval(beat);
        stop();
      };
      send('retry: 1000\n\n');
    },
    cancel: () => end(),
  });
}
