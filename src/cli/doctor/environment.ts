import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOOLS_BY_NAME } from '../../agent/role.ts';
import { readSettings, type SettingsRead } from '../../workflow/settings-source.ts';
import type { Survey } from '../survey.ts';
import { broken, type Check, type Finding, ok, warning } from './check.ts';

/** Every mistake in the variables. */
export function checkEnvironment({ mistakes }: Survey): Check {
  const name = 'environment';
  return {
    name,
    run: () =>
      mistakes.length === 0
        ? [ok(name, 'every variable that is needed is set')]
        : mistakes.map((mistake) => broken(name, mistake, fixOf(mistake))),
  };
}

/** Every mistake in the settings' file and in the variables that set single settings. */
export function checkSettings(name: string, read: SettingsRead | Error): Check {
  return {
    name,
    run(): Finding[] {
      if (read instanceof Error) return [broken(name, read.message, 'Correct PITWALL_SETTINGS, or make the file.')];
      const rows = read.problems.map(({ severity, file, line, column, message }): Finding => {
        const place = file.startsWith('PITWALL_') ? file : `${file}:${line}:${column}`;
        const fix = 'Correct it there; pitwall schema settings says what settings there are.';
        return { check: name, status: severity === 'error' ? 'broken' : 'warning', found: `${place}: ${message}`, fix };
      });
      const set = read.rows.filter(({ origin }) => origin.from !== 'default').length;
      return rows.length > 0 ? rows : [ok(name, set === 0 ? 'all as by default' : `${set} set, the others as by default`)];
    },
  };
}

/** How plausible the secret is that deliveries are signed with; that it is there and long enough the environment's check says. */
export function judgeSecret(secret: string): Finding {
  const name = 'webhook secret';
  const fix = 'Make one with: openssl rand -hex 32; set it as WEBHOOK_SECRET and on the App’s settings page.';
  const few = new Set(secret).size < 8;
  const known = /^(?:change|replace|example|secret|password|your)/i.test(secret);
  return few || known ? warning(name, 'it is easy to guess', fix) : ok(name, `${secret.length} characters`);
}

/** The settings' file where there is one, and the variables over it. Resolves with an Error where the named file cannot be read. */
export async function loadSettings({ dataDir, settingsFile, overrides }: Survey): Promise<SettingsRead | Error> {
  const file = settingsFile ?? join(dataDir, 'settings.json');
  if (settingsFile === null && !existsSync(file)) return readSettings({ text: null, file, environment: overrides, tools: TOOLS_BY_NAME });
  try {
    return readSettings({ text: await readFile(file, 'utf8'), file, environment: overrides, tools: TOOLS_BY_NAME });
  } catch (error) {
    return new Error(`${file} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'it is no file'})`);
  }
}

function fixOf(mistake: string): string {
  const name = /^\w+/.exec(mistake)?.[0].replace(/_FILE$/, '') ?? '';
  const of: Record<string, string> = {
    APP_ID: 'Set APP_ID to the number on the App’s settings page; pitwall setup makes an App and writes it down.',
    PRIVATE_KEY: 'Make a private key on the App’s settings page and name its file in PRIVATE_KEY_FILE; pitwall setup does both.',
    WEBHOOK_SECRET: 'Set WEBHOOK_SECRET to what stands on the App’s settings page, at least 16 characters; pitwall setup writes it down.',
    ANTHROPIC_API_KEY: 'Set ANTHROPIC_API_KEY to a key of your model provider.',
  };
  return of[name] ?? `Correct ${name} in the environment that Pitwall is started with.`;
}
