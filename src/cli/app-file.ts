import { readFile } from 'node:fs/promises';

/** The text of the `app.yml` that comes with this version. */
export function readAppFile(): Promise<string> {
  return readFile(new URL('../../app.yml', import.meta.url), 'utf8');
}
