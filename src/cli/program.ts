import { Command, InvalidArgumentError, Option } from 'commander';
import type { Recovered } from '../run/recover.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor/doctor.ts';
import { exportRun } from './export.ts';
import { init } from './init.ts';
import { askPublicUrl } from './question.ts';
import { printRecovered } from './recover.ts';
import { type ReplayOptions, replayRun } from './replay.ts';
import { cancelRun, retryRun } from './run-orders.ts';
import { listRuns, showRun } from './runs.ts';
import { schema } from './schema.ts';
import { serve } from './serve.ts';
import { printSettings } from './settings.ts';
import { type SetupOptions, setup } from './setup.ts';
import type { Survey } from './survey.ts';
import { tryChange } from './try.ts';
import { validate } from './validate.ts';
import { explainPlace } from './why.ts';

/** What the command line is handed by `cli.ts`. */
export interface ProgramParts {
  version: string;
  environment: Record<string, string | undefined>;
  cwd: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  /** Whether a person sits at a terminal and can be asked. */
  interactive: boolean;
  /** Reads the environment with its mistakes, for commands that only look at it. */
  survey(environment: Record<string, string | undefined>): Survey;
  /** Ends what a lost run left open on GitHub, and lets the servers go on. */
  recover(environment: Record<string, string | undefined>): Promise<Recovered>;
  /** Starts a server; with `poll` it also reads deliveries from GitHub's list. */
  start(
    environment: Record<string, string | undefined>,
    role?: 'all' | 'web' | 'worker',
    poll?: boolean,
  ): Promise<{ url: string; stop(): Promise<void> }>;
}

/** The command line. */
export interface Program {
  /** Runs one command; answers the exit code. Throws `CommanderError` for a wrong command line. */
  run(args: string[]): Promise<number>;
}

const EXIT_CODES = `
Exit codes:
  0  done
  1  it did not work: mistakes found, something broken, no review posted, fewer faults found than promised
  2  the command line or the environment is not right`;

/** Builds the commands. */
export function makeProgram(parts: ProgramParts): Program {
  let code = 0;
  const program = new Command('pitwall')
    .description('Runs the agent workflows that a repository commits, and reviews its pull requests.')
    .version(parts.version)
    .exitOverride()
    .configureOutput({ writeOut: parts.out, writeErr: parts.err })
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES);
  const keep = (work: Promise<number>) => work.then((value) => void (code = value));
  addServer(program, parts, keep);
  addRecovery(program, parts, keep);
  addRuns(program, parts, keep);
  addRecords(program, parts, keep);
  addInstallation(program, parts, keep);
  addFormat(program, parts, keep);
  addTrials(program, parts, keep);
  return {
    async run(args) {
      const [first, name] = args;
      const unknown = first === 'help' && name !== undefined && program.commands.every((command) => command.name() !== name);
      await program.parseAsync(unknown ? [name] : args, { from: 'user' });
      return code;
    },
  };
}

type Keep = (work: Promise<number>) => Promise<void>;

function addServer(program: Command, parts: ProgramParts, keep: Keep): void {
  program
    .command('start')
    .description('start the server: webhooks, workers, or both')
    .addOption(new Option('--role <role>', 'what this process does').choices(['all', 'web', 'worker']).default('all'))
    .option('--poll', "read deliveries from GitHub's own list, for a machine without a public address", false)
    .addHelpText('after', example('APP_ID=1 PRIVATE_KEY_FILE=key.pem WEBHOOK_SECRET=... ANTHROPIC_API_KEY=... pitwall start'))
    .action((options: { role: 'all' | 'web' | 'worker'; poll: boolean }) => keep(serve(options, parts)));
}

function addRecovery(program: Command, parts: ProgramParts, keep: Keep): void {
  program
    .command('recover')
    .description('after Redis lost its data: end the check runs that were left open, and let the servers go on')
    .addHelpText('after', example('PITWALL_REDIS_URL=redis://... APP_ID=1 PRIVATE_KEY_FILE=key.pem pitwall recover'))
    .action(() => keep(printRecovered(parts.recover(parts.environment), parts)));
}

function addRuns(program: Command, parts: ProgramParts, keep: Keep): void {
  const io = () => ({ survey: parts.survey(parts.environment), out: parts.out, err: parts.err, version: parts.version });
  type Format = { format: 'text' | 'json' };
  program
    .command('runs')
    .description('list the newest runs')
    .addOption(new Option('--limit <number>', 'how many at most').default(20).argParser(wholeNumber(1, 1_000)))
    .addOption(formatOption())
    .addHelpText('after', example('pitwall runs --limit 50'))
    .action((options: Format & { limit: number }) => keep(listRuns(options, io())));
  program
    .command('show')
    .description('show one run: its steps, delegations, tokens and end')
    .argument('<run>', 'its id')
    .addOption(formatOption())
    .addHelpText('after', example('pitwall show r0123456789abcde'))
    .action((run: string, { format }: Format) => keep(showRun({ run, format }, io())));
  program
    .command('why')
    .description('tell what was decided about the events of a pull request or issue, and why')
    .argument('<place>', 'owner/repo#number')
    .addOption(formatOption())
    .addHelpText('after', example('pitwall why acme/app#12'))
    .action((place: string, { format }: Format) => keep(explainPlace({ place, format }, io())));
  program
    .command('cancel')
    .description('tell a run to end')
    .argument('<run>', 'its id')
    .addHelpText('after', example('pitwall cancel r0123456789abcde'))
    .action((run: string) => keep(cancelRun(run, io())));
  program
    .command('retry')
    .description('run an ended run again')
    .argument('<run>', 'its id')
    .addHelpText('after', example('pitwall retry r0123456789abcde'))
    .action((run: string) => keep(retryRun(run, io())));
}

function addRecords(program: Command, parts: ProgramParts, keep: Keep): void {
  const { out, err, version, cwd } = parts;
  const io = () => ({ survey: parts.survey(parts.environment), out, err, version, cwd });
  program
    .command('export')
    .description('write what a run was told and decided to a file that replay reads')
    .argument('<run>', 'its id')
    .option('--out <file>', 'the new file, compressed where it ends in .gz; - for the terminal (default: <run>.jsonl)')
    .option('--redact', 'without prompts, thoughts, and what tools were given and answered', false)
    .addHelpText('after', example('pitwall export r0123456789abcde --out run.jsonl.gz'))
    .action((run: string, options: { out?: string; redact: boolean }) => keep(exportRun({ run, ...options }, io())));
  program
    .command('replay')
    .description('derive a recorded run again, without network, and show the first difference')
    .argument('<run|file>', 'its id, or a file that export wrote: a file needs no Redis and no keys')
    .option('--with <workflow>', 'show where this changed workflow would first have gone another way')
    .option('--ignore-prompts', 'compare decisions alone, where another build words prompts otherwise', false)
    .addOption(formatOption())
    .addHelpText('after', example('pitwall replay run.jsonl.gz --with .overcut/workflow.json'))
    .action((source: string, options: Omit<ReplayOptions, 'source'>) => keep(replayRun({ source, ...options }, io())));
}

function addInstallation(program: Command, parts: ProgramParts, keep: Keep): void {
  const { version, cwd, signal, out, err, environment } = parts;
  program
    .command('setup')
    .description('make the GitHub App, and write its id, key and secret to a file')
    .option('--github-url <url>', 'the GitHub that the App is for', 'https://github.com')
    .option('--org <name>', 'the organization that shall own the App; default: you')
    .option('--url <url>', 'the public address of your server; without one, deliveries are polled')
    .option('--out <file>', 'the new file for the secrets', 'pitwall.env')
    .addOption(portOption('the port of the local page'))
    .addHelpText('after', example('pitwall setup --org acme --url https://pitwall.acme.example'))
    .action((options: SetupOptions) =>
      keep(setup(options, { version, cwd, signal, out, err, ...(parts.interactive ? { ask: askPublicUrl } : {}) })),
    );
  program
    .command('init')
    .description('write a first review workflow into a repository')
    .option('--dir <folder>', 'the repository', '.')
    .option('--force', 'write over what is there', false)
    .addHelpText('after', example('pitwall init --dir ../my-repository'))
    .action((options: { dir: string; force: boolean }) => keep(init(options, { cwd, out, err })));
  program
    .command('doctor')
    .description('look whether everything is right: machine, GitHub App, webhook, Redis, model; with a fix for each')
    .addOption(formatOption())
    .addHelpText('after', example('pitwall doctor'))
    .action((options: { format: 'text' | 'json' }) =>
      keep(doctor(options, { survey: parts.survey(environment), nodeVersion: process.versions.node, version, out })),
    );
  program
    .command('settings')
    .description('print each setting, its value and where that comes from')
    .addOption(formatOption())
    .addHelpText('after', example('pitwall settings'))
    .action((options: { format: 'text' | 'json' }) => keep(printSettings(options, { survey: parts.survey(environment), out, err })));
}

function addFormat(program: Command, parts: ProgramParts, keep: Keep): void {
  program
    .command('validate')
    .description('check workflows, agents and settings, and print every mistake at once')
    .argument('[paths...]', 'files or folders; default: .overcut of this folder')
    .addOption(formatOption())
    .addHelpText('after', example('pitwall validate .overcut/workflow.json'))
    .action((paths: string[], options: { format: 'text' | 'json' }) => keep(validate(paths, options, parts)));
  program
    .command('schema')
    .description('print the JSON Schema of workflow.json, or of settings, for editors')
    .argument('[which]', 'workflow, settings, or repository-settings', 'workflow')
    .addHelpText('after', example('pitwall schema > workflow.schema.json'))
    .action((which: string) => keep(Promise.resolve(schema(which, parts))));
}

function addTrials(program: Command, parts: ProgramParts, keep: Keep): void {
  const deps = { start: parts.start, out: parts.out, err: parts.err, env: parts.environment, signal: parts.signal };
  program
    .command('try')
    .description('review a change of a local repository, without an account')
    .requiredOption('--repo <folder>', 'the repository')
    .requiredOption('--base <ref>', 'what the change starts from')
    .requiredOption('--head <ref>', 'what it ends in')
    .option('--workflow <file>', 'the workflow to run instead of the repository’s own')
    .addOption(formatOption())
    .addHelpText('after', example('pitwall try --repo . --base main --head my-branch'))
    .action((options: { repo: string; base: string; head: string; workflow?: string; format: 'text' | 'json' }) =>
      keep(tryChange(options, deps)),
    );
  program
    .command('demo')
    .description('review a pull request of a sample repository with planted faults')
    .option('--once', 'review once, print what was found, and leave', false)
    .addOption(portOption('the port of the demo'))
    .addOption(formatOption())
    .addHelpText('after', example('pitwall demo --once'))
    .action((options: { once: boolean; port?: number; format: 'text' | 'json' }) => keep(demo(options, deps)));
}

function formatOption(): Option {
  return new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text');
}

function portOption(description: string): Option {
  return new Option('--port <number>', description).argParser(wholeNumber(0, 65_535));
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

function example(line: string): string {
  return `\nExample:\n  ${line}`;
}
