// A server of the role that it is told, which stands still when it is told to.
import { readConfig } from '../../dist/config.js';
import { start } from '../../dist/main.js';

process.once('SIGUSR2', () => {
  for (;;);
});
await start(readConfig(process.env, process.argv[2]), { standstillMs: 3_000 });
