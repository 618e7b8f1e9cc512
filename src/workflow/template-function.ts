/** The helpers of the format that give a value from values. `json` prints over several lines. */
export const TEMPLATE_FUNCTIONS: Record<string, (...values: unknown[]) => unknown> = {
  eq: (a, b) => isSame(a, b),
  neq: (a, b) => !isSame(a, b),
  gt: (a, b) => order(a, b) > 0,
  gte: (a, b) => order(a, b) >= 0,
  lt: (a, b) => order(a, b) < 0,
  lte: (a, b) => order(a, b) <= 0,
  and: (...values) => values.find((value) => isEmptyValue(value)) ?? (values.some(isEmptyValue) ? '' : values.at(-1)),
  or: (...values) => values.find((value) => !isEmptyValue(value)) ?? values.at(-1),
  not: (value) => isEmptyValue(value),
  json: (value) => JSON.stringify(value, null, 2) ?? '',
};

/** What `if` calls false: nothing, false, zero, an empty text and an empty list. */
export function isEmptyValue(value: unknown): boolean {
  return !value || (Array.isArray(value) && value.length === 0);
}

/** Numbers, booleans and texts are equal when they print the same, as in conditions. */
function isSame(a: unknown, b: unknown): boolean {
  const [left, right] = [a ?? null, b ?? null];
  return left === right || (isScalar(left) && isScalar(right) && String(left) === String(right));
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Numbers by size (also when written as text), everything else as text; NaN, which is no order, where one is missing. */
function order(a: unknown, b: unknown): number {
  if (!isScalar(a) || !isScalar(b)) return Number.NaN;
  const [left, right] = [Number(a), Number(b)];
  if (!Number.isNaN(left) && !Number.isNaN(right) && a !== '' && b !== '') return left - right;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
