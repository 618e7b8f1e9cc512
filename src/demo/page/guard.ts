import { randomBytes, timingSafeEqual } from 'node:crypto';

/** Headers of every answer: nothing but our own files may be loaded, run, framed or posted to. */
export const HEADERS: Record<string, string> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/;

/** A token for the forms of one page's life. */
export function makeToken(): string {
  return randomBytes(18).toString('base64url');
}

/** Why a request is not answered, or null. Only this machine is asked for by name: another host means that a foreign site points its name here. */
export function refuseHost(headers: Headers): string | null {
  return LOOPBACK.test(headers.get('host') ?? '') ? null : 'This page is for the machine it runs on: open it at 127.0.0.1.';
}

/** Why a form is not taken, or null: it has to come from our own page and carry its token. */
export function refuseForm(headers: Headers, form: { given: string; token: string }): string | null {
  const host = headers.get('host') ?? '';
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const foreign = (origin !== null && origin !== `http://${host}`) || (site !== null && site !== 'same-origin');
  const [given, token] = [Buffer.from(form.given), Buffer.from(form.token)];
  const ours = given.length === token.length && timingSafeEqual(given, token);
  return foreign || !ours ? 'This form is not from this page, or older than it: load the page again.' : null;
}
