import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** What tsc answers when it found mistakes and wrote its output all the same: `npm run check` is there to refuse them. */
const WRITTEN_WITH_MISTAKES = 2;

/** The tests that start real processes run what is built from the sources at hand. */
export async function setup(): Promise<void> {
  const root = resolve(import.meta.dirname, '..');
  try {
    await promisify(execFile)('npm', ['run', 'build', '--silent'], { cwd: root });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== WRITTEN_WITH_MISTAKES) throw error;
  }
}
