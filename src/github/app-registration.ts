import { z } from 'zod';

/** Narrow, because these texts go into a file that a shell reads. */
const Registered = z.object({
  id: z.number().int().positive(),
  slug: z.string().regex(/^[\w-]+$/),
  html_url: z.string().regex(/^https?:\/\/[\w.:/-]+$/),
  pem: z.string().regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END [A-Z ]*PRIVATE KEY-----\s*$/),
  webhook_secret: z
    .string()
    .regex(/^[\w.~+/=-]+$/)
    .nullable(),
});

/** An App that GitHub has just made from a manifest, with the secrets that it tells once. */
export interface RegisteredApp {
  id: number;
  slug: string;
  /** Its page on GitHub. */
  url: string;
  privateKey: string;
  webhookSecret: string | null;
}

/** How GitHub is reached for it. */
export interface RegistrationOptions {
  apiUrl: string;
  /** For the user agent. */
  version: string;
  signal?: AbortSignal;
}

/** Exchanges the code of GitHub's manifest flow, which works once and for an hour. Throws an Error that says what to do; never with a secret in it. */
export async function exchangeCode(code: string, { apiUrl, version, signal }: RegistrationOptions): Promise<RegisteredApp> {
  const response = await fetch(`${apiUrl}/app-manifests/${encodeURIComponent(code)}/conversions`, {
    method: 'POST',
    headers: { accept: 'application/vnd.github+json', 'user-agent': `pitwall/${version}` },
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    throw new Error(`${apiUrl} cannot be reached (${error instanceof Error ? error.message : String(error)}): check --github-url`);
  });
  if (response.status === 404)
    throw new Error('GitHub does not know the code (any more): run pitwall setup again, and delete the App if it was made');
  if (!response.ok)
    throw new Error(`GitHub answered ${response.status} for the code: run pitwall setup again, and delete the App if it was made`);
  const parsed = Registered.safeParse(await response.json().catch(() => null));
  if (!parsed.success) throw new Error(`${apiUrl} did not answer as GitHub does: check --github-url`);
  const { id, slug, html_url, pem, webhook_secret } = parsed.data;
  return { id, slug, url: html_url, privateKey: pem, webhookSecret: webhook_secret };
}
