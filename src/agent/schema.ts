import { z } from 'zod';
import type { ToolSchema } from './model.ts';
import type { Tool } from './tool.ts';

const known = new WeakMap<Tool<never>, ToolSchema>();

/**
 * Tools as the model is shown them: by name, so that the same tools give the same bytes (the prompt cache depends on it), without what the
 * model does not need. Throws where a tool's input is not an object: that is a fault of the tool.
 */
export function toolSchemas(tools: readonly Tool<never>[]): ToolSchema[] {
  return [...tools].sort((a, b) => (a.name < b.name ? -1 : 1)).map(schemaOf);
}

function schemaOf(tool: Tool<never>): ToolSchema {
  const before = known.get(tool);
  if (before) return before;
  const { name, description, input } = tool;
  const schema = compact(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }));
  if (!isRecord(schema) || schema.type !== 'object') throw new Error(`the input of tool ${name} must be a z.object`);
  const made: ToolSchema = { name, description, input_schema: { ...schema, type: 'object' } };
  known.set(tool, made);
  return made;
}

const DROPPED = new Set(['$schema', 'propertyNames']);

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !isNoise(key, inner))
      .map(([key, inner]) => [key, key === 'properties' && isRecord(inner) ? mapValues(inner) : compact(inner)]),
  );
}

/** Property names are the tool's own words: one called like a keyword stays. */
function mapValues(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, compact(schema)]));
}

function isNoise(key: string, value: unknown): boolean {
  if (DROPPED.has(key)) return true;
  if (key === 'additionalProperties') return !isRecord(value) || Object.keys(value).length === 0;
  return (key === 'maximum' || key === 'minimum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
