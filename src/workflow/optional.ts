import type { z } from 'zod';

/** A field that may be missing or null; both mean the default. */
export function optional<T extends z.ZodType, D>(schema: T, otherwise: D) {
  return schema.nullish().transform((value) => (value ?? otherwise) as NonNullable<z.output<T>> | D);
}
