const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const SHORT = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly'];

interface Field {
  name: string;
  least: number;
  most: number;
  words: string[];
  /** Value that the first word stands for. */
  first: number;
}

const FIELDS: Field[] = [
  { name: 'minute', least: 0, most: 59, words: [], first: 0 },
  { name: 'hour', least: 0, most: 23, words: [], first: 0 },
  { name: 'day of the month', least: 1, most: 31, words: [], first: 1 },
  { name: 'month', least: 1, most: 12, words: MONTHS, first: 1 },
  { name: 'day of the week', least: 0, most: 7, words: DAYS, first: 0 },
];

/** Says what is wrong with a cron expression of five fields (or `@daily` and the like), or null where it is good. */
export function cronFault(expression: string): string | null {
  const text = expression.trim().toLowerCase();
  if (text.startsWith('@')) return SHORT.includes(text) ? null : `${JSON.stringify(text)}; the short forms are ${SHORT.join(', ')}`;
  const parts = text.split(/\s+/);
  if (text === '' || parts.length !== 5) return text === '' ? 'an empty text' : `${parts.length} field${parts.length === 1 ? '' : 's'}`;
  const values = FIELDS.map((field, index) => readField(parts[index] ?? '', field));
  const bad = values.find((value) => typeof value === 'string');
  if (typeof bad === 'string') return bad;
  return neverFires(values as Set<number>[], parts) ? 'a day that none of its months has' : null;
}

function readField(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', step, ...more] = item.split('/');
    const ends = range === '*' || range === '?' ? [field.least, field.most] : range.split('-').map((end) => toNumber(end, field));
    const [from = Number.NaN, to = step === undefined ? from : field.most] = ends;
    const pace = step === undefined ? 1 : /^\d+$/.test(step) ? Number(step) : 0;
    const good = more.length === 0 && ends.length <= 2 && from >= field.least && to <= field.most && from <= to && pace >= 1;
    if (!good) return `${JSON.stringify(item)} as the ${field.name} (${field.least} to ${field.most})`;
    for (let value = from; value <= to; value += pace) values.add(value);
  }
  return values;
}

function toNumber(text: string, field: Field): number {
  const word = field.words.indexOf(text);
  return word >= 0 ? word + field.first : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}

/** A day of the month counts alone only where the day of the week is left open. */
function neverFires(values: Set<number>[], parts: string[]): boolean {
  if (!/^[*?]$/.test(parts[4] ?? '')) return false;
  const [, , days = new Set<number>(), months = new Set<number>()] = values;
  return ![...months].some((month) => [...days].some((day) => day <= (LENGTHS[month - 1] ?? 31)));
}
