import { z } from 'zod';
import { AgentReference, Definition } from './definition.ts';
import { RepositorySettings, Settings } from './settings.ts';
import { ExportShape, NamedShape } from './shape.ts';

const SITE = 'https://json-schema.org/draft/2020-12/schema';

/** The JSON Schema of a workflow in any of its three shapes, for editors. It allows keys that the format does not know; `validate` warns of them. */
export function workflowJsonSchema(): Record<string, unknown> {
  const definition = z.lazy(() => Definition).meta({ id: 'Definition', description: 'Triggers, steps and the order of the steps' });
  const schema = z.union([
    ExportShape.extend({ workflow: ExportShape.shape.workflow.extend({ definition }) }),
    NamedShape.extend({ definition }),
    z.intersection(
      definition,
      z.object({ refs: z.object({ agents: z.array(AgentReference).nullish() }).nullish(), agentRefs: z.unknown().optional() }),
    ),
  ]);
  return describe(schema, 'A Pitwall workflow: .overcut/workflow.json');
}

/** The JSON Schema of the app's `settings.json`. */
export function settingsJsonSchema(): Record<string, unknown> {
  return describe(Settings, 'Settings of a Pitwall installation: settings.json');
}

/** The JSON Schema of a repository's `.overcut/settings.json`. */
export function repositorySettingsJsonSchema(): Record<string, unknown> {
  return describe(RepositorySettings, "A repository's own settings: .overcut/settings.json");
}

function describe(schema: z.ZodType, title: string): Record<string, unknown> {
  const json = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ jsonSchema }) => open(jsonSchema, schema),
  });
  return { $schema: SITE, title, ...without$schema(json) };
}

/** Workflows may hold more than the format knows; settings may not. */
function open(json: Record<string, unknown>, schema: z.ZodType): void {
  if (schema === Settings || schema === RepositorySettings) return;
  if (json.type === 'object' && json.additionalProperties === false) delete json.additionalProperties;
}

function without$schema({ $schema: _, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}
