// Loaded before everything else (NODE_OPTIONS --import): a thread that takes webhooks ends at once when somebody asks for it, as by a fault of its own.
import { Server } from 'node:http';
import { isMainThread } from 'node:worker_threads';

const { emit } = Server.prototype;
if (!isMainThread)
  Server.prototype.emit = function (name, request, ...rest) {
    if (name !== 'request' || request.headers['x-fall-over'] === undefined) return emit.call(this, name, request, ...rest);
    process.nextTick(() => {
      throw new Error('fell over');
    });
    return true;
  };
