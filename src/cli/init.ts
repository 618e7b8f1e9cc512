import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { workflowFiles } from '../demo/sample/workflow.ts';
import { statOf } from './files.ts';
import { type CommandIo, validate } from './validate.ts';

/**
 * Writes a first review workflow and its agent into a repository's `.overcut`, checks it, and says how to commit it. Answers 0, 1 where it could not be written,
 * 2 where a file is there already (without `force`) or the folder is not.
 */
export async function init({ dir, force }: { dir: string; force: boolean }, io: CommandIo): Promise<number> {
  const root = resolve(io.cwd, dir);
  if ((await statOf(root, io.cwd)) !== 'folder') {
    io.err(`${dir} is not a folder: name the repository's folder with --dir\n`);
    return 2;
  }
  const files = workflowFiles();
  const there = await Promise.all(Object.keys(files).map(async (path) => ((await statOf(path, root)) === null ? [] : [path])));
  if (!force && there.flat().length > 0) {
    const [exist, them] = there.flat().length === 1 ? ['exists', 'it'] : ['exist', 'them'];
    io.err(`${there.flat().join(', ')} ${exist} already; --force writes over ${them}\n`);
    return 2;
  }
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text, force ? {} : { flag: 'wx' });
    }
  } catch (error) {
    io.err(`${dir} cannot be written (${error instanceof Error && 'code' in error ? String(error.code) : String(error)})\n`);
    return 1;
  }
  for (const path of Object.keys(files)) io.out(`wrote ${join(dir, path)}\n`);
  const checked = await validate([], { format: 'text' }, { ...io, cwd: root });
  if (checked === 0) io.out(nextSteps(dir));
  return checked;
}

function nextSteps(dir: string): string {
  const quoted = /^[\w./-]+$/.test(dir) ? dir : `'${dir.replaceAll("'", `'\\''`)}'`;
  const git = dir === '.' ? 'git' : `git -C ${quoted}`;
  return [
    '',
    'Next: bring it to the default branch; workflows are only read from there.',
    `  ${git} add .overcut && ${git} commit -m "Review pull requests with Pitwall" && ${git} push`,
    'Then open a pull request, or comment /review on one. To see such a review here first, without an account:',
    `  pitwall try --repo ${quoted} --base HEAD~1 --head HEAD`,
    '',
  ].join('\n');
}
