import { repositorySettingsJsonSchema, settingsJsonSchema, workflowJsonSchema } from '../workflow/json-schema.ts';
import type { CommandIo } from './validate.ts';

const SCHEMAS: Record<string, () => Record<string, unknown>> = {
  workflow: workflowJsonSchema,
  settings: settingsJsonSchema,
  'repository-settings': repositorySettingsJsonSchema,
};

/** Prints a JSON Schema for editors: of workflows where nothing is named. Answers the exit code: 0, or 2 for a name that is none. */
export function schema(which: string | undefined, io: Pick<CommandIo, 'out' | 'err'>): number {
  const name = which ?? 'workflow';
  const make = Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name] : undefined;
  if (!make) {
    io.err(`no schema is called ${JSON.stringify(which)}; there are ${Object.keys(SCHEMAS).join(', ')}\n`);
    return 2;
  }
  io.out(`${JSON.stringify(make(), null, 2)}\n`);
  return 0;
}
