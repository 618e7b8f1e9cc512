import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** The tests that start real processes run what is built from the sources at hand. */
export async function setup(): Promise<void> {
  const root = resolve(import.meta.dirname, '..');
  await promisify(execFile)('npm', ['run', 'build', '--silent'], { cwd: root });
}
