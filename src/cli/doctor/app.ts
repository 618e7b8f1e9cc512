import type { AppFacts } from '../../github/app-facts.ts';
import { isGranted } from '../../github/error.ts';
import type { AppManifest } from '../../workflow/app-manifest.ts';
import { broken, type Finding, ok, warning } from './check.ts';

type Known = Extract<AppFacts, { state: 'known' }>;

const DRIFT_MS = 30_000;
const TOO_FAR_MS = 60_000;

/** Whether GitHub can be reached and takes the App's id and key. */
export function judgeSignIn(facts: AppFacts, apiUrl: string): Finding {
  const name = 'GitHub';
  if (facts.state === 'known') return ok(name, `the App ${facts.app.slug} is signed in at ${apiUrl}`);
  if (facts.state === 'away')
    return broken(name, `${apiUrl} cannot be reached (${facts.why})`, 'Check GITHUB_API_URL, the network and the firewall.');
  const fixes = {
    'key text': 'Download a private key from the App’s settings page and set PRIVATE_KEY to its whole text.',
    key: 'Make a new private key on the settings page of this very App (compare APP_ID with it), and set PRIVATE_KEY to it.',
    id: 'Set APP_ID to the number on the settings page of the App whose key this is.',
    other: 'Check GITHUB_API_URL: for GitHub Enterprise Server it is https://host/api/v3.',
  };
  return broken(name, facts.why, fixes[facts.blame]);
}

/** How far the clocks are apart: GitHub takes no token that was signed over a minute in its future. */
export function judgeClock(aheadMs: number): Finding {
  const name = 'clock';
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const found = `this machine is ${seconds} s ${aheadMs < 0 ? 'behind' : 'ahead of'} GitHub`;
  const fix = 'Set the clock by NTP (systemctl enable --now systemd-timesyncd, or chronyd).';
  if (Math.abs(aheadMs) > TOO_FAR_MS) return broken(name, found, fix);
  return Math.abs(aheadMs) > DRIFT_MS ? warning(name, found, fix) : ok(name, seconds < 3 ? 'as GitHub’s' : found);
}

/** The App's permissions against app.yml. */
export function judgePermissions({ app }: Known, wanted: AppManifest): Finding {
  const name = 'permissions';
  const missing = Object.entries(wanted.permissions).filter(([scope, level]) => !isGranted(`${scope}:${level}`, app.permissions));
  if (missing.length === 0) return ok(name, `all ${Object.keys(wanted.permissions).length} of app.yml`);
  const list = missing.map(([scope, level]) => `${scope}: ${level}`).join(', ');
  return broken(name, `the App lacks ${list}`, `Give it ${list} at ${settingsOf(app)}/permissions, then accept it in each installation.`);
}

/** The App's events against app.yml. */
export function judgeEvents({ app }: Known, wanted: AppManifest): Finding {
  const name = 'events';
  const missing = wanted.events.filter((event) => !app.events.includes(event));
  if (missing.length === 0) return ok(name, `all ${wanted.events.length} of app.yml`);
  const list = missing.join(', ');
  return broken(name, `the App does not hear of ${list}`, `Subscribe to ${list} at ${settingsOf(app)}/permissions.`);
}

/** Where the App is installed, and what stands in its way there. */
export function judgeInstallations({ app, installations }: Known): Finding[] {
  const name = 'installations';
  if (installations.length === 0)
    return [warning(name, 'the App is installed nowhere', `Install it at ${app.html_url}/installations/new and choose repositories.`)];
  const suspended = installations.filter((one) => one.suspended_at);
  const all = suspended.length === installations.length;
  const rows = installations.flatMap((one): Finding[] => {
    const who = one.account?.login ?? one.html_url;
    if (one.suspended_at) {
      const [found, fix] = [`the installation of ${who} is suspended`, `Unsuspend it at ${one.html_url}.`];
      return [all ? broken(name, found, fix) : warning(name, found, fix)];
    }
    const pending = Object.entries(app.permissions).filter(([scope, level]) => !isGranted(`${scope}:${level}`, one.permissions));
    if (pending.length === 0) return [];
    const list = pending.map(([scope, level]) => `${scope}: ${level}`).join(', ');
    return [warning(name, `${who} has not accepted ${list}`, `An owner accepts it at ${one.html_url}.`)];
  });
  return rows.length > 0 ? rows : [ok(name, `${installations.length} (${installations.map((one) => one.account?.login).join(', ')})`)];
}

/** The App's page for those who may change it. */
export function settingsOf({ slug, owner, html_url }: Known['app']): string {
  const { origin } = new URL(html_url);
  return owner?.type === 'Organization'
    ? `${origin}/organizations/${owner.login}/settings/apps/${slug}`
    : `${origin}/settings/apps/${slug}`;
}
