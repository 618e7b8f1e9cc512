import { Command } from 'commander';
import { demo } from './demo.ts';
import { printSchema } from './schema.ts';
import { tryChange } from './try.ts';
import { validate } from './validate.ts';

/** What the command line is handed by `cli.ts`. */
export interface ProgramParts {
  version: string;
  environment: Record<string, string | undefined>;
  cwd: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  start(environment: Record<string, string | undefined>, role?: 'all' | 'web' | 'worker'): Promise<{ url: string; stop(): Promise<void> }>;
}

export interface Program {
  /** Runs one command; answers the exit code. */
  run(args: string[]): Promise<number>;
}
