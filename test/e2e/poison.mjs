// Loaded before everything else (NODE_OPTIONS --import): a process that sends a model a text with this word, or asks GitHub for a repository of this name, dies at once,
// as by a fault of the machine.
import { ClientRequest } from 'node:http';

for (const name of ['write', 'end']) {
  const original = ClientRequest.prototype[name];
  ClientRequest.prototype[name] = function (chunk, ...rest) {
    const toModel = this.path.includes('/v1/messages') && String(chunk ?? '').includes('DEADLY');
    if (toModel || this.path.includes('/repos/acme/deadly/')) process.kill(process.pid, 'SIGKILL');
    return original.call(this, chunk, ...rest);
  };
}
