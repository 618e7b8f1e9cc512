#!/usr/bin/env node
import { CommanderError } from 'commander';
import { makeProgram } from './cli/program.ts';
import { ConfigError, processEnvironment, readConfig, surveyEnvironment } from './config.ts';
import { recoverLoss, start } from './main.ts';
import { version } from './wiring.ts';

const HOW_TO_SET =
  'pitwall setup makes the GitHub App and writes its variables to a file; pitwall doctor looks through what is set; pitwall demo needs none of it.\n';

/** Recovering takes no webhook and asks no model. */
const NOT_FOR_RECOVERING = { WEBHOOK_SECRET: 'recovering takes none', ANTHROPIC_API_KEY: 'recovering asks none' };

/** The command: hands what the doors need over to them, and turns their answers into exit codes. */
async function runCommand(): Promise<number> {
  const leaving = new AbortController();
  const program = makeProgram({
    version: version(),
    environment: processEnvironment(),
    cwd: process.cwd(),
    signal: leaving.signal,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    survey: surveyEnvironment,
    recover: (environment) => recoverLoss(readConfig({ ...NOT_FOR_RECOVERING, ...environment })),
    start: (environment, role, poll) => start(readConfig(environment, role, poll)),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort(signal));
  try {
    return await program.run(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`pitwall: ${message}\n${error instanceof ConfigError && message.includes(' is not set') ? HOW_TO_SET : ''}`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

process.exitCode = await runCommand();
setTimeout(() => process.exit(), 2_000).unref();
