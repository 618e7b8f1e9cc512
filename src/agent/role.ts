/** Base types of agents. `PRReviewFixer` is a SeniorDeveloper that may also reply to and resolve review threads. */
export type RoleName = 'SeniorDeveloper' | 'PRReviewFixer' | 'CodeReview' | 'TechWriter' | 'ProductManager' | 'ExploreAgent' | 'Custom';

/** What a base type is: its own instructions and the tools it has where its file names none. */
export interface Role {
  name: RoleName;
  /** One line for the coordinator's list of agents. */
  summary: string;
  instructions: string;
  tools: readonly string[];
}

/** Tools that every agent step has beside its preset. Tool tables cut them only by name. */
export const INJECTED_TOOLS: readonly string[] = [
  'update_status',
  'task_completed',
  'memory_read',
  'memory_write',
  'read_scratchpad',
  'write_scratchpad',
  'append_scratchpad',
  'list_scratchpads',
];

/** The tools of a coordinator, and no others. */
export const COORDINATOR_TOOLS: readonly string[] = ['delegate_to_sub_agent', 'read_file', ...INJECTED_TOOLS];

const EXPLORE = ['explore_codebase'];
const FILES = ['list_dir', 'read_file', 'create_directory', 'write_file', 'append_file', 'edit_file', 'delete_file'];
const CODE = ['code_search', 'list_code_definition_names', 'semantic_code_search', 'run_terminal_cmd', 'get_diagnostics'];
const TICKETS = ['create_ticket', 'update_ticket', 'list_tickets', 'read_ticket', 'add_comment_to_ticket', 'update_comment_on_ticket'];
const PULLS_TALK = [
  'read_pull_request',
  'update_pull_request',
  'list_pull_requests',
  'add_comment_to_pull_request',
  'update_comment_on_pull_request',
];
const PULLS = [...PULLS_TALK, 'create_pull_request', 'merge_pull_request', 'close_pull_request'];
const ATTACHMENTS = ['get_ticket_attachments', 'get_pull_request_attachments'];
const DIFF = ['get_pull_request_diff'];
const THREAD_ANSWERS = ['add_pull_request_review_thread_reply', 'resolve_pull_request_review_thread'];
const REVIEW = [...DIFF, 'get_pull_request_diff_line_numbers', 'add_pull_request_review_thread', ...THREAD_ANSWERS, 'submit_review'];
const CI_READ = ['get_ci_run_details', 'get_ci_run_logs', 'list_pr_ci_runs', 'get_ci_job_logs'];
const CI = [...CI_READ, 'retry_ci_workflow'];

const DEVELOPER = [...FILES, ...CODE, ...TICKETS, ...PULLS, ...ATTACHMENTS, ...DIFF, ...CI, ...EXPLORE];

const DEVELOP =
  'You are a senior developer. You read code before you change it, keep changes small and in the style of the files around them, and run what proves them (tests, linter, build) where you can. Commit only what the task asks for. Where something cannot be done properly, say so instead of hiding it.';

const ROLES: Record<RoleName, Omit<Role, 'name'>> = {
  SeniorDeveloper: {
    summary: 'reads and changes code, runs commands, works with issues, pull requests and CI',
    instructions: DEVELOP,
    tools: DEVELOPER,
  },
  PRReviewFixer: {
    summary: 'as a senior developer; also replies to review threads and resolves them',
    instructions: `${DEVELOP}\nYou work through review threads: fix what is right, answer what is not, resolve only what you fixed.`,
    tools: [...DEVELOPER, ...THREAD_ANSWERS],
  },
  CodeReview: {
    summary: 'reads a change, records findings on its lines, submits reviews; changes no code',
    instructions:
      'You are a code reviewer. You look for what breaks: correctness, security, data loss, races, error handling, missing tests; not for taste. A finding names the file and a line that the change touches, says what goes wrong and when, and how to mend it. Check it against the code before you record it; drop what you cannot show. Few findings that are right are worth more than many. Where a change breaks something outside it, put the finding on the changed line that causes it.',
    tools: [
      ...['list_dir', 'read_file', 'append_file', ...CODE],
      ...['list_tickets', 'read_ticket', 'add_comment_to_ticket', 'update_comment_on_ticket'],
      ...[...PULLS_TALK, ...REVIEW, ...CI_READ, ...EXPLORE],
    ],
  },
  TechWriter: {
    summary: 'writes and mends documentation, issues and pull request texts',
    instructions:
      'You are a technical writer. You write for a reader who wants to get something done: short, exact, in the terms of the project. You check names, commands and paths against the code before you write them down.',
    tools: [...FILES, ...CODE, ...TICKETS, ...PULLS, ...ATTACHMENTS, ...DIFF, ...EXPLORE],
  },
  ProductManager: {
    summary: 'works with issues and pull requests: triage, requirements, summaries; changes no code',
    instructions:
      'You are a product manager. You turn requests into clear problems, acceptance criteria and open questions, find duplicates, and keep issues in order. You read the code to see what exists and never guess at behaviour.',
    tools: ['list_dir', 'read_file', ...CODE, ...TICKETS, ...PULLS_TALK, ...DIFF, ...EXPLORE],
  },
  ExploreAgent: {
    summary: 'answers questions about the code; changes nothing',
    instructions:
      'You explore a codebase to answer one question. Search first, read only what you need, change nothing. Answer with the facts and where they stand (path:line).',
    tools: ['list_dir', 'read_file', 'code_search', 'semantic_code_search', 'run_terminal_cmd'],
  },
  Custom: {
    summary: 'what its own file says',
    instructions: 'You are an agent that works on a repository with the tools you are given.',
    tools: [],
  },
};

/** Every tool that a preset, an injection or the coordinator has, by its present name. */
export const TOOL_NAMES: readonly string[] = [
  ...new Set([...COORDINATOR_TOOLS, ...Object.values(ROLES).flatMap((role) => role.tools), 'load_skill', 'submit_plan']),
];

/** The role of that type; a type nobody knows is a SeniorDeveloper (`roleNamed` says whether a name was understood). */
export function roleOf(type: string): Role {
  const name = ROLE_NAMES.find((role) => role === type) ?? roleNamed(type).role;
  return { name, ...ROLES[name] };
}

/** Names of the tools that agents of a type have where their file names none. */
export function presetOf(type: string): string[] {
  return [...roleOf(type).tools];
}

const ROLE_NAMES = Object.keys(ROLES) as RoleName[];

const BY_NAME: [RegExp, RoleName][] = [
  [/review fix|fix(es|er)? .*review|prreviewfixer/, 'PRReviewFixer'],
  [/code ?review/, 'CodeReview'],
  [/tech(nical)? ?writer/, 'TechWriter'],
  [/product ?manager/, 'ProductManager'],
  [/explore/, 'ExploreAgent'],
  [/senior ?developer|(backend|frontend|senior).*developer|devops|system architect|\brca\b|security engineer/, 'SeniorDeveloper'],
];

/** The base type that an agent's name stands for (as published workflows name their agents); `known` is false where it was only assumed. */
export function roleNamed(name: string): { role: RoleName; known: boolean } {
  const plain = name
    .trim()
    .toLowerCase()
    .replace(/[-_\s]+/g, ' ');
  const exact = ROLE_NAMES.find((role) => role.toLowerCase() === plain.replaceAll(' ', ''));
  const role = exact ?? BY_NAME.find(([pattern]) => pattern.test(plain))?.[1];
  return { role: role ?? 'SeniorDeveloper', known: role !== undefined };
}

const KNOWN_NAMES: ReadonlySet<string> = new Set(TOOL_NAMES);

/** The names of tools, for who wants to know whether a word is one; those of MCP servers are as the servers say. */
export const TOOLS_BY_NAME = {
  names: TOOL_NAMES,
  is: (name: string) => KNOWN_NAMES.has(canonicalToolName(name)) || name.startsWith('mcp__'),
};

const ALIASES: Record<string, string> = {
  update_pull_request_comment: 'update_comment_on_pull_request',
  update_ticket_comment: 'update_comment_on_ticket',
  status_update: 'update_status',
  search_code: 'code_search',
  terminal_command: 'run_terminal_cmd',
  run_terminal_command: 'run_terminal_cmd',
  list_directory: 'list_dir',
  read_dir: 'list_dir',
};

/** The present name of a tool; published prompts also use older ones. Names nobody knows come back as they are, trimmed. */
export function canonicalToolName(name: string): string {
  const plain = name.trim();
  if (KNOWN_NAMES.has(plain)) return plain;
  const lower = plain.toLowerCase().replaceAll('-', '_');
  return Object.hasOwn(ALIASES, lower) ? (ALIASES[lower] ?? plain) : KNOWN_NAMES.has(lower) ? lower : plain;
}
