// A process that opens the door for webhooks as a server does, and stands still when it is told to.
import { readConfig } from '../../dist/config.js';
import { openDoor } from '../../dist/door.js';

const app = await openDoor(readConfig(process.env), { working: () => true, onError: () => {}, standstillMs: 1_500 });
process.stdout.write(`${app.port}\n`);
process.once('SIGUSR2', () => {
  for (;;);
});
