import { CONTEXT_PATHS, isContextPath } from './context-fields.ts';
import { lineStarts, positionAt } from './json.ts';
import { nearest } from './nearest.ts';
import { type Problem, type Remark, sentence } from './problem.ts';
import { compileTemplate, isFault } from './template.ts';

/** A fault of a template, at an index of its text. */
export type TemplateRemark = Omit<Remark, 'path' | 'of'> & { at: number };

/** What templates of one step can name. `before` are the steps that have ended when it starts, each with whether it is an agent's. */
export interface TemplateScope {
  steps: ReadonlyMap<string, { agent: boolean }>;
  before: ReadonlySet<string>;
}

/** Nobody reads more of one text. */
const MOST_REMARKS = 100;

/** Checks a template: it must compile; variables that are never there are warnings, the first 100 of them. */
export function checkTemplate(text: string, scope: TemplateScope): TemplateRemark[] {
  if (!text.includes('{{')) return [];
  const template = compileTemplate(text);
  if (isFault(template)) return [{ severity: 'error', expected: template.expected, found: template.found, at: template.index }];
  const remarks: TemplateRemark[] = [];
  const good = new Set<string>();
  for (const { parts, index, shadowed } of template.variables) {
    const name = parts.join('.');
    if (remarks.length === MOST_REMARKS) break;
    if (!shadowed && good.has(name)) continue;
    const fault = shadowed
      ? { expected: `{{@root.${name}}}`, hint: 'inside a block with its own items the plain name is empty' }
      : judge(parts, scope);
    if (fault) remarks.push({ severity: 'warning', found: `{{${name}}}`.slice(0, 80), at: index, ...fault });
    else good.add(name);
  }
  return remarks;
}

/** The same for a prompt's own file. */
export function checkPromptFile(file: string, text: string, scope: TemplateScope): Problem[] {
  const starts = lineStarts(text);
  return checkTemplate(text, scope).map(({ severity, expected, found = '', hint, at }) => {
    return { severity, file, ...positionAt(starts, at), path: '$', expected, found, message: sentence(expected, found, hint) };
  });
}

function judge(parts: readonly string[], scope: TemplateScope): { expected: string; hint?: string } | null {
  const [root = '', ...rest] = parts;
  if (root === 'trigger') {
    if (isContextPath(rest)) return null;
    const near = nearest(rest.join('.'), CONTEXT_PATHS);
    return { expected: 'a field that the event has', hint: near ? `did you mean {{trigger.${near}}}?` : 'it is always empty' };
  }
  if (root === 'outputs') return rest.length === 0 ? null : judgeOutput(rest, scope);
  const inside = CONTEXT_PATHS.find((path) => path === parts.join('.'));
  const hint = inside ? `did you mean {{trigger.${inside}}}?` : 'it is always empty; a literal "{{" is written "\\{{"';
  return { expected: 'a variable that begins with "trigger." or "outputs."', hint };
}

function judgeOutput([step = '', field]: readonly string[], { steps, before }: TemplateScope): { expected: string; hint?: string } | null {
  const known = steps.get(step);
  if (!known) {
    const near = nearest(step, [...steps.keys()]);
    return {
      expected: `the output of a step (${[...steps.keys()].slice(0, 12).join(', ')})`,
      hint: near ? `did you mean {{outputs.${near}}}?` : 'it is always empty',
    };
  }
  if (!before.has(step))
    return {
      expected: 'the output of a step that has ended before',
      hint: `the flow does not lead from ${JSON.stringify(step)} to here, so it is empty`,
    };
  if (known.agent && field !== undefined && field !== 'message')
    return { expected: `{{outputs.${step}.message}}`, hint: 'an agent gives its message and nothing else' };
  return null;
}
