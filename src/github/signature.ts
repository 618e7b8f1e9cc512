import { createHmac, timingSafeEqual } from 'node:crypto';

/** `X-Hub-Signature-256` of a body. */
export function signBody(secret: string, body: string | Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Whether one of the secrets made this signature of the raw body; compares all of them in constant time. */
export function isSigned(secrets: readonly string[], body: string | Buffer, signature: string): boolean {
  const given = Buffer.from(signature);
  let good = false;
  for (const secret of secrets) {
    const wanted = Buffer.from(signBody(secret, body));
    if (given.length === wanted.length && timingSafeEqual(given, wanted)) good = true;
  }
  return good;
}
