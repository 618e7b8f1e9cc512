import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toolSchemas } from '../../src/agent/schema.ts';
import { defineTool, type Tool } from '../../src/agent/tool.ts';

function tool(name: string, input: z.ZodType): Tool<never> {
  return defineTool({ name, description: `Does ${name}.`, effect: 'none', input, run: async () => ({ text: '' }) });
}

describe('schemas of tools', () => {
  const cases: [string, z.ZodType, object][] = [
    [
      'plain',
      z.object({ path: z.string().describe('where') }),
      { type: 'object', properties: { path: { type: 'string', description: 'where' } }, required: ['path'] },
    ],
    ['strict', z.strictObject({ a: z.boolean() }), { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] }],
    ['whole numbers', z.object({ n: z.int().min(1).optional() }), { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } }],
    [
      'defaults are optional',
      z.object({ n: z.number().default(3) }),
      { type: 'object', properties: { n: { default: 3, type: 'number' } } },
    ],
    [
      'records keep their values',
      z.object({ r: z.record(z.string(), z.string()).optional() }),
      { type: 'object', properties: { r: { type: 'object', additionalProperties: { type: 'string' } } } },
    ],
    [
      'a property called like a keyword',
      z.object({ maximum: z.string().optional(), $schema: z.string().optional() }),
      { type: 'object', properties: { maximum: { type: 'string' }, $schema: { type: 'string' } } },
    ],
    [
      'aliases by a first pass',
      z.preprocess((value) => value, z.object({ a: z.string() })),
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    ],
  ];
  it.each(cases)('%s', (_, input, expected) => {
    expect(toolSchemas([tool('x', input)])[0]?.input_schema).toEqual(expected);
  });

  it('come by name, the same bytes in any order', () => {
    const tools = [tool('b', z.object({})), tool('a', z.object({})), tool('c', z.object({}))];
    expect(toolSchemas(tools).map((schema) => schema.name)).toEqual(['a', 'b', 'c']);
    expect(JSON.stringify(toolSchemas(tools))).toBe(JSON.stringify(toolSchemas(tools.toReversed())));
  });

  it('a tool whose input is no object is a fault', () => {
    expect(() => toolSchemas([tool('x', z.string())])).toThrow(/tool x/);
  });
});
