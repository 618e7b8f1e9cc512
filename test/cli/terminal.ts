import { CommanderError } from 'commander';
import { makeProgram } from '../../src/cli/program.ts';
import { surveyEnvironment } from '../../src/config.ts';

/** What somebody sees who types a command; nothing is started and nothing recovered. 2: the command was not understood. */
export async function pitwall(
  args: string[],
  { environment = {}, cwd = '/' }: { environment?: Record<string, string>; cwd?: string } = {},
) {
  let [out, err] = ['', ''];
  const program = makeProgram({
    version: '1.2.3',
    environment,
    cwd,
    signal: AbortSignal.abort(),
    interactive: false,
    out: (text) => (out += text),
    err: (text) => (err += text),
    survey: surveyEnvironment,
    recover: () => Promise.reject(new Error('nothing is recovered here')),
    start: () => Promise.reject(new Error('nothing is started here')),
  });
  const code = await program.run(args).catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  });
  return { code, out, err };
}
