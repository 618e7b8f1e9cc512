import { toGitHubError } from './error.ts';
import { withRetries } from './retry.ts';

/** The App's own client; only its requests are used. */
export interface AppRequests {
  request(route: string, parameters?: Record<string, unknown>): Promise<AppAnswer>;
}

/** GitHub's answer to the App. */
export interface AppAnswer {
  data: unknown;
  headers?: Record<string, string | number | undefined>;
}

/**
 * Asks GitHub as the App, not as an installation. Only for requests that may be repeated, which these are while the network or GitHub fails. Throws
 * `GitHubError`s.
 */
export function askAsApp(app: AppRequests, route: string, parameters: Record<string, unknown> = {}): Promise<AppAnswer> {
  const [method = '', template = ''] = route.split(' ');
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name]));
  return withRetries(async () => {
    try {
      return await app.request(route, parameters);
    } catch (error) {
      throw toGitHubError(error, { method, path, granted: {}, now: Date.now() });
    }
  });
}
