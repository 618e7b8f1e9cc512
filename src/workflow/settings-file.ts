import type { z } from 'zod';
import { checkValue } from './issue.ts';
import { parseJson } from './json.ts';
import type { Problem } from './problem.ts';
import { BUDGETS, type Budget, FORKS, RepositorySettings, SEVERITIES, Settings } from './settings.ts';
import { remarksOnForce, type ToolNames } from './settings-in-force.ts';

/** Reads `settings.json` (JSON with comments) and fills in the defaults. Unknown keys are errors with the nearest known one. Never throws. */
export function parseSettings(text: string, file: string, tools?: ToolNames): { settings: Settings | null; problems: Problem[] } {
  const { data, problems } = parse(Settings, text, { file, tools });
  return { settings: data, problems };
}

/** Reads a repository's own `.overcut/settings.json`. What only the app's settings may hold is an unknown key here. */
export function parseRepositorySettings(
  text: string,
  file: string,
  tools?: ToolNames,
): { settings: RepositorySettings | null; problems: Problem[] } {
  const { data, problems } = parse(RepositorySettings, text, { file, tools });
  return { settings: data, problems };
}

/** What the app allows, narrowed by what a repository asks for. Where it asks for more the app's value stays, and `refused` says so. */
export function narrow(settings: Settings, wanted: RepositorySettings): { settings: Settings; refused: string[] } {
  const refused: string[] = [];
  const keep = (key: string, wider: boolean): void => {
    if (wider) refused.push(`${key}: a repository can only narrow what the app's settings allow`);
  };
  const result: Settings = { ...settings, limits: { ...settings.limits } };
  for (const key of SWITCHES) {
    keep(key, wanted[key] === true && !settings[key]);
    result[key] = settings[key] && wanted[key] !== false;
  }
  for (const name of BUDGETS) {
    const given = name === 'app' || name === 'organization' ? undefined : wanted.limits?.[name];
    if (given) result.limits[name] = narrowBudget(settings.limits[name], given, (key, wider) => keep(`limits.${name}.${key}`, wider));
  }
  const forks = wanted.forks ?? settings.forks;
  keep('forks', FORKS.indexOf(forks) > FORKS.indexOf(settings.forks));
  result.forks = FORKS.indexOf(forks) < FORKS.indexOf(settings.forks) ? forks : settings.forks;
  const floor = wanted.severityFloor ?? settings.severityFloor;
  keep('severityFloor', SEVERITIES.indexOf(floor) < SEVERITIES.indexOf(settings.severityFloor));
  result.severityFloor = SEVERITIES.indexOf(floor) > SEVERITIES.indexOf(settings.severityFloor) ? floor : settings.severityFloor;
  keep('maxFindings', isWider(wanted.maxFindings, settings.maxFindings));
  result.maxFindings = smaller(wanted.maxFindings, settings.maxFindings);
  result.quiet = settings.quiet || wanted.quiet === true;
  result.deny = [...new Set([...settings.deny, ...(wanted.deny ?? [])])];
  result.ignore = [...new Set([...settings.ignore, ...(wanted.ignore ?? [])])];
  return { settings: result, refused };
}

const SWITCHES = [
  ...(['readStrangers', 'allowOutsiders', 'approve', 'requestChanges', 'merge', 'push'] as const),
  ...(['editWorkflows', 'closeReopen'] as const),
] as const;
const AMOUNTS = ['turns', 'toolCalls', 'delegations', 'tokens', 'dollars', 'minutes'] as const;

function narrowBudget(
  budget: Budget,
  wanted: { [K in keyof Budget]?: number | null | undefined },
  keep: (key: string, wider: boolean) => void,
): Budget {
  const result = { ...budget };
  for (const key of AMOUNTS) {
    keep(key, isWider(wanted[key], budget[key]));
    result[key] = smaller(wanted[key], budget[key]);
  }
  return result;
}

function isWider(wanted: number | null | undefined, allowed: number | null): boolean {
  return wanted !== undefined && allowed !== null && (wanted === null || wanted > allowed);
}

function smaller(wanted: number | null | undefined, allowed: number | null): number | null {
  if (wanted === undefined || wanted === null) return allowed;
  return allowed === null ? wanted : Math.min(wanted, allowed);
}

/** Errors stand before warnings; nobody reads more. */
const MOST_PROBLEMS = 500;

function parse<S extends z.ZodType>(
  schema: S,
  text: string,
  { file, tools }: { file: string; tools: ToolNames | undefined },
): { data: z.infer<S> | null; problems: Problem[] } {
  const document = parseJson(text.trim() === '' ? '{}' : text, file);
  if (document.value === undefined) return { data: null, problems: document.problems };
  const { data, remarks } = checkValue(schema, document.value, { unknown: 'error' });
  const told = [...remarks, ...remarksOnForce(document.value, tools)].slice(0, MOST_PROBLEMS);
  return { data, problems: [...document.problems, ...told.map(document.place)] };
}
