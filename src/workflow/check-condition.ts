import { CONTEXT_PATHS, isContextPath } from './context-fields.ts';
import { nearest } from './nearest.ts';
import { refusalOf } from './pattern.ts';
import { at, itemsOf, type Place, textAt } from './place.ts';
import type { Remark } from './problem.ts';

/** Checks what a schema cannot see in a condition: fields that exist, and patterns that the linear engine takes. On an edge of the flow, `steps` are the ids that may be named. */
export function checkCondition(condition: Place, steps: readonly string[] | null): Remark[] {
  const rules = at(condition, 'rules');
  const own = textAt(at(condition, 'field')) === null ? [] : checkRule(condition, steps);
  return [...own, ...itemsOf(rules).flatMap((rule) => checkCondition(rule, steps))];
}

/** Checks a regular expression; empty ones are good. */
export function checkPattern(place: Place): Remark[] {
  const pattern = textAt(place);
  const refusal = pattern ? refusalOf(pattern) : null;
  if (refusal === null) return [];
  return [
    {
      severity: 'error',
      path: place.path,
      expected: 'a regular expression that the linear-time engine takes (no look-around, no back-references)',
      found: JSON.stringify((pattern ?? '').slice(0, 60)),
      hint: refusal.slice(0, 160),
    },
  ];
}

function checkRule(rule: Place, steps: readonly string[] | null): Remark[] {
  const value = at(rule, 'value');
  const isPattern = textAt(at(rule, 'operator')) === 'matches';
  const patterns = isPattern ? (Array.isArray(value.value) ? itemsOf(value) : [value]).flatMap(checkPattern) : [];
  return [...checkField(at(rule, 'field'), steps), ...patterns];
}

function checkField(place: Place, steps: readonly string[] | null): Remark[] {
  const [root, ...parts] = (textAt(place) ?? '').split('.');
  if (root === 'context') {
    if (isContextPath(parts)) return [];
    const near = nearest(parts.join('.'), CONTEXT_PATHS);
    const hint = near ? `did you mean "context.${near}"?` : 'an unknown field is always the empty text';
    return [{ severity: 'warning', path: place.path, expected: 'a field that the event has', hint }];
  }
  if (root === 'outputs' && steps) {
    const [step = ''] = parts;
    if (steps.length === 0 || steps.includes(step)) return [];
    const near = nearest(step, steps);
    return [
      {
        severity: 'error',
        path: place.path,
        expected: `the output of a step (${steps.join(', ')})`,
        ...(near ? { hint: `did you mean "outputs.${near}"?` } : {}),
      },
    ];
  }
  const expected = steps ? 'a field that begins with "context." or "outputs.<step-id>"' : 'a field that begins with "context."';
  return [{ severity: 'error', path: place.path, expected }];
}
