import type { AppFacts } from '../../github/app-facts.ts';
import { settingsOf } from './app.ts';
import { broken, type Finding, ok, warning } from './check.ts';

type Known = Extract<AppFacts, { state: 'known' }>;

/** Where the server takes webhooks. */
export const WEBHOOK_PATH = '/api/github/webhooks';
/** A host that no one can have, for an App whose deliveries are read from GitHub's list instead of being received. */
export const NO_ADDRESS = 'pitwall.invalid';

/** Whether the App's webhook is set as the server wants it; what is wrong with that, or null. */
export function judgeHook({ app, hook }: Known): Finding | null {
  const name = 'webhook';
  const page = settingsOf(app);
  if (!hook.url)
    return broken(name, 'the App has no webhook URL', `Set it at ${page} to https://your-server${WEBHOOK_PATH} and tick "Active".`);
  const url = URL.canParse(hook.url) ? new URL(hook.url) : null;
  if (!url) return broken(name, `${hook.url} is not a URL`, `Correct the webhook URL at ${page}.`);
  if (url.hostname === NO_ADDRESS)
    return warning(name, 'the App has no public address', `Start with pitwall start --poll, or set the webhook URL at ${page}.`);
  if (hook.content_type === 'form') return broken(name, 'deliveries come as forms', `Choose the content type application/json at ${page}.`);
  if (!hook.secret) return broken(name, 'the App has no webhook secret', `Set the secret of WEBHOOK_SECRET at ${page}.`);
  if (url.pathname !== WEBHOOK_PATH)
    return broken(name, `the webhook URL ${url.href} has another path than the server`, `Let it end in ${WEBHOOK_PATH} at ${page}.`);
  return null;
}

/** Whether the configured server answers at its address. */
export async function tryHook({ app, hook }: Known, signal: AbortSignal): Promise<Finding> {
  const name = 'webhook';
  const url = new URL(hook.url ?? '');
  const probe = `${url.origin}/healthz`;
  const fix = `Start Pitwall, lead ${url.host} to its port (proxy, tunnel, firewall), or correct the webhook URL at ${settingsOf(app)}.`;
  try {
    const response = await fetch(probe, { signal });
    await response.body?.cancel();
    if (response.status === 200) return ok(name, `${url.href}: a server answers there`);
    return broken(name, `${probe} answered ${response.status}`, fix);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
    return broken(name, `${probe} cannot be reached${cause ? ` (${cause})` : ''}`, fix);
  }
}

/** What became of the newest deliveries. A 401 is the server's word for a wrong secret. */
export function judgeDeliveries({ app, hook, deliveries, signed }: Known): Finding {
  const name = 'deliveries';
  const [newest] = deliveries;
  const page = settingsOf(app);
  if (!newest) return ok(name, 'none yet');
  const failed = deliveries.filter(({ status }) => status < 200 || status >= 300).length;
  const last = `the newest (${newest.event}, ${new Date(newest.at).toISOString()}) ended with ${newest.status}`;
  const found = `${last}; ${failed} of the last ${deliveries.length} failed`;
  if (newest.status === 401) {
    const again = `The secret fits now: redeliver what failed at ${page}/advanced.`;
    const differs = `Set WEBHOOK_SECRET to the secret at ${page}: the server refuses what GitHub signs.`;
    return signed === true ? warning(name, found, again) : broken(name, `${found}: wrong secret`, differs);
  }
  if (hook.url?.includes(NO_ADDRESS)) return ok(name, `${deliveries.length} wait in GitHub’s list for pitwall start --poll`);
  if (newest.status < 200 || newest.status >= 300)
    return warning(name, `${found} (${newest.ending})`, `Look at ${page}/advanced, and redeliver what failed once the server answers.`);
  if (signed === false)
    return warning(name, `${last}, but WEBHOOK_SECRET does not fit its signature`, `Compare WEBHOOK_SECRET with the secret at ${page}.`);
  return ok(name, failed === 0 ? last : found);
}
