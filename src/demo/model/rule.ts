import type { PatchFile, PatchLine } from './patch.ts';

export type Importance = 'blocker' | 'major' | 'minor' | 'nit';

/** A kind of mistake that can be seen without understanding the program. Texts are shown to people. */
export interface Rule {
  id: string;
  importance: Importance;
  title: string;
  message: string;
  fix: string;
  /** The rows of a file where it is made; null stands for the file as a whole. May not throw. */
  find(file: PatchFile): (PatchLine | null)[];
}

/** A rule that looks at one added line at a time. `see: 'code'` hides comments and the insides of strings from the pattern. */
export interface LineRule extends Omit<Rule, 'find'> {
  in: RegExp;
  see: 'code' | 'text';
  pattern: RegExp;
  unless?: RegExp;
}

export const SCRIPT = /\.(?:[cm]?[jt]sx?|vue|svelte)$/;
export const PYTHON = /\.py$/;
export const SOURCE =
  /\.(?:[cm]?[jt]sx?|vue|svelte|py|rb|go|java|kt|kts|scala|cs|php|rs|swift|c|cc|cpp|h|hpp|sh|bash|sql|pl|lua|dart|ex|exs)$/;
/** Everything that people write by hand, prose left out. */
export const WRITTEN =
  /(?:\.(?:json|ya?ml|toml|ini|env|properties|xml|html?|conf|cfg|tf|tfvars)|(?:^|\/)(?:Dockerfile|\.env[\w.]*|Makefile))$/;
export const ANY_CODE = new RegExp(`${SOURCE.source}|${WRITTEN.source}`);
export const ANYTHING = /(?:)/;

const GENERATED =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|[\w-]+\.lock|go\.sum|vendor\/|node_modules\/|dist\/)|\.min\.(?:js|css)$|\.(?:map|snap|svg)$/;
const TEST = /(?:^|\/)(?:tests?|__tests__|spec|e2e|fixtures?)\/|\.(?:test|spec)\.\w+$|(?:^|\/)(?:test_\w+|\w+_test)\.\w+$/;

/** Lock files, bundles and vendored code, which nobody reviews by hand. */
export function isGenerated(path: string): boolean {
  return GENERATED.test(path);
}

export function isTest(path: string): boolean {
  return TEST.test(path);
}

/** Makes a line rule a rule. */
export function lineRule({ in: where, see, pattern, unless, ...rule }: LineRule): Rule {
  return {
    ...rule,
    find(file) {
      if (!where.test(file.path)) return [];
      return addedOf(file).filter(({ text }) => {
        const seen = see === 'code' ? codeOf(text) : text;
        return pattern.test(seen) && !unless?.test(text);
      });
    },
  };
}

export function addedOf(file: PatchFile): PatchLine[] {
  return file.lines.filter((line) => line.kind === '+');
}

/** A line without its comments and without what stands inside of strings and regular expressions. */
export function codeOf(text: string): string {
  if (/^\s*(?:\/\/|\*|\/\*|#|--|<!--)/.test(text)) return '';
  return text
    .replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`/g, (string) => string[0] + (string.at(-1) ?? ''))
    .replace(/(^|[=(,:[!&|?;{}]|return)(\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+\/[a-z]*/g, '$1$2RE')
    .replace(/\/\/.*$|\/\*.*?(?:\*\/|$)|\s#\s.*$/g, '');
}
