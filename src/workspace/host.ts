import { Fatal } from '../journal/errors.ts';

/** Which hosts code may be fetched from. */
export interface Hosts {
  /** The configured API, for example `https://api.github.com` or `https://ghe.example.com/api/v3`. */
  apiUrl: string;
  /** Further hosts (with port, where it is not the usual one) that the operator listed. */
  allowedHosts?: string[];
  /** Also plain paths and `file:` URLs, for tests on local repositories. */
  allowFiles?: boolean;
}

/**
 * Checks where code would be fetched from: github.com for api.github.com, else the API's own host, or a listed one; http only where the API
 * is http. Answers the URL's origin, or null for a file. Throws `Fatal`: payloads are not trusted to choose a host.
 */
export function checkCloneUrl(cloneUrl: string, hosts: Hosts): string | null {
  if (hosts.allowFiles && (cloneUrl.startsWith('/') || cloneUrl.startsWith('file:'))) return null;
  const url = URL.canParse(cloneUrl) ? new URL(cloneUrl) : null;
  if (!url) throw new Fatal(`The clone URL ${quote(cloneUrl)} is not a URL: an https URL of the GitHub host is needed.`);
  const api = new URL(hosts.apiUrl);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && api.protocol === 'http:')) {
    throw new Fatal(`The clone URL ${quote(cloneUrl)} is refused: only https is allowed (http only where the API's own URL is http).`);
  }
  if (url.username || url.password)
    throw new Fatal('The clone URL carries a login: credentials are added by the app and never stand in a URL.');
  const own = api.hostname === 'api.github.com' ? 'github.com' : api.host;
  if (url.host !== own && !(hosts.allowedHosts ?? []).includes(url.host)) {
    throw new Fatal(
      `The clone URL's host ${quote(url.host)} is refused: code comes from ${own}. If that host is yours, list it in the settings (allowedHosts).`,
    );
  }
  return url.origin;
}

/** The protocols that git may use for these hosts. */
export function protocolsOf(hosts: Hosts): string[] {
  return ['https', ...(hosts.apiUrl.startsWith('http:') ? ['http'] : []), ...(hosts.allowFiles ? ['file'] : [])];
}

function quote(text: string): string {
  return JSON.stringify(text.replace(/\/\/[^/@]*@/, '//***@').slice(0, 200));
}
