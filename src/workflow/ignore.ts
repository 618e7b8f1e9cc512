import { LRUCache } from 'lru-cache';
import { findsPattern } from './pattern.ts';

/**
 * The first of these rules that takes a path, or null. They read like those of `.gitignore`: `*` and `?` within a name, `**` over folders, `{a,b}` for one of
 * several; without a slash before its end a rule counts at any depth; what names a folder takes all below it.
 */
export function ignoredBy(rules: readonly string[], path: string): string | null {
  return rules.find((rule) => findsPattern(patterns.memo(rule), path)) ?? null;
}

const patterns = new LRUCache<string, string>({ max: 500, memoMethod: regexOf });

function regexOf(rule: string): string {
  const anyDepth = !rule.replace(/\/+$/, '').includes('/');
  const name = rule.replace(/^(?:\.?\/)+|\/+$/g, '');
  return `(?s)^${anyDepth ? '(?:.*/)?' : ''}${translate(name)}(?:/.*)?$`;
}

const WORDS = /(?<folders>\*\*\/)|(?<all>\*\*)|(?<some>\*)|(?<one>\?)|\{(?<choices>[^{}]*)\}|(?<plain>.)/gsu;

function translate(glob: string): string {
  return [...glob.matchAll(WORDS)]
    .map(({ groups = {} }) => {
      if (groups.folders) return '(?:.*/)?';
      if (groups.all) return '.*';
      if (groups.some) return '[^/]*';
      if (groups.one) return '[^/]';
      if (groups.choices !== undefined) return `(?:${groups.choices.split(',').map(translate).join('|')})`;
      return groups.plain?.replace(/[\\^$.|()[\]{}+]/, '\\$&') ?? '';
    })
    .join('');
}
