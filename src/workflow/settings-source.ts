import { checkValue } from './issue.ts';
import { parseJson } from './json.ts';
import { nearest } from './nearest.ts';
import { describeValue, type Problem, type Remark, sentence, writePath } from './problem.ts';
import { defaultSettings, Settings } from './settings.ts';
import { isSet, remarksOnForce, type ToolNames } from './settings-in-force.ts';

/** Where a setting's value came from. */
export type Origin = { from: 'default' } | { from: 'file'; file: string; line: number } | { from: 'environment'; variable: string };

/** One setting: its path without the leading `$.`, its value, and where that came from. */
export interface SettingRow {
  path: string;
  value: unknown;
  origin: Origin;
}

/** What settings are read from: the text of `settings.json` (null where there is none) and the variables that may set single ones. */
export interface SettingsSource {
  text: string | null;
  file: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** The tools that there are; without them denied ones are not looked at. */
  tools?: ToolNames;
}

/** The settings, or null where anything is wrong; a variable that is no setting is a warning with the nearest one. */
export interface SettingsRead {
  settings: Settings | null;
  problems: Problem[];
  rows: SettingRow[];
}

type Keys = readonly string[];

/** Reads the settings with their origins: a variable goes before the file, the file before the default. Never throws. */
export function readSettings({ text, file, environment, tools }: SettingsSource): SettingsRead {
  const document = parseJson(text === null || text.trim() === '' ? '{}' : text, file);
  if (document.value === undefined) return { settings: null, problems: document.problems, rows: [] };
  const given = overridesOf(environment);
  const merged = given.set.reduce<unknown>((value, { keys, wanted }) => withValue(value, keys, wanted), document.value);
  const { data, remarks } = checkValue(Settings, merged, { unknown: 'error' });
  const place = (remark: Remark): Problem => {
    const source = given.set.find(({ keys }) => keys.every((key, at) => remark.path[at] === key));
    return source ? inVariable(source.variable, { found: describeValue(source.wanted), ...remark }) : document.place(remark);
  };
  const problems = [...document.problems, ...[...remarks, ...remarksOnForce(merged, tools)].map(place), ...given.strange];
  const failed = !data || problems.some(({ severity }) => severity === 'error');
  const line = (keys: Keys) => document.place({ severity: 'error', path: keys, of: 'key', expected: '' }).line;
  const originOf = (keys: Keys): Origin => {
    const source = given.set.find((one) => one.keys.join('.') === keys.join('.'));
    if (source) return { from: 'environment', variable: source.variable };
    return isSet(document.value, keys) ? { from: 'file', file, line: line(keys) } : { from: 'default' };
  };
  const rows = failed ? [] : leavesOf(data).map(({ keys, value }) => ({ path: keys.join('.'), value, origin: originOf(keys) }));
  return { settings: failed ? null : data, problems, rows };
}

/** The variable that sets a setting: `limits.run.dollars` is PITWALL_LIMITS_RUN_DOLLARS. */
function variableOf(keys: Keys): string {
  return `PITWALL_${keys.map((key) => key.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()).join('_')}`;
}

interface Override {
  variable: string;
  keys: Keys;
  wanted: unknown;
}

function overridesOf(environment: SettingsSource['environment']): { set: Override[]; strange: Problem[] } {
  const leaves = leavesOf(defaultSettings()).filter(({ keys }) => keys[0] !== 'models');
  const known = new Map(leaves.map(({ keys, value }) => [variableOf(keys), { keys, value }]));
  const names = [...known.keys()];
  const set: Override[] = [];
  const strange: Problem[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || text === '') continue;
    const leaf = known.get(variable);
    if (leaf) set.push({ variable, keys: leaf.keys, wanted: readText(text, leaf.value) });
    else strange.push(unknownVariable(variable, nearest(variable, names)));
  }
  return { set, strange };
}

function readText(text: string, standard: unknown): unknown {
  if (typeof standard === 'string') return text;
  if (Array.isArray(standard) && !text.trim().startsWith('[')) return text.split(',').flatMap((part) => part.trim() || []);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function unknownVariable(variable: string, near: string | null): Problem {
  const remark = { severity: 'warning' as const, path: [], expected: 'a variable that Pitwall knows', found: variable };
  return inVariable(variable, near ? { ...remark, hint: `did you mean ${near}?` } : remark);
}

function inVariable(variable: string, { severity, path, expected, found, hint }: Remark & { found: string }): Problem {
  return {
    severity,
    file: variable,
    line: 1,
    column: 1,
    path: writePath(path),
    expected,
    found,
    message: sentence(expected, found, hint),
  };
}

function leavesOf(value: unknown, keys: Keys = []): { keys: Keys; value: unknown }[] {
  if (!isObject(value)) return [{ keys, value }];
  return Object.entries(value).flatMap(([key, below]) => (below === undefined ? [] : leavesOf(below, [...keys, key])));
}

function withValue(value: unknown, [key, ...rest]: Keys, wanted: unknown): unknown {
  if (key === undefined) return wanted;
  if (value !== undefined && !isObject(value)) return value;
  return { ...(value ?? {}), [key]: withValue(value?.[key], rest, wanted) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
