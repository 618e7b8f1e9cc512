/** What a secret looks like, and what to say in its place. */
const SECRETS: [RegExp, string][] = [
  [/\bgh[pousr]_[A-Za-z0-9_.-]{20,}/g, 'GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9_]{20,}/g, 'GitHub token'],
  [/\bsk-ant-[A-Za-z0-9_-]{10,}/g, 'Anthropic key'],
  [/\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}/g, 'API key'],
  [
    /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g,
    'private key',
  ],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, 'AWS key'],
  [/\baws_secret_access_key\b(["']?\s{0,9}[:=]\s{0,9}["']?)[A-Za-z0-9/+]{40}/gi, 'AWS secret'],
  [/\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, 'JWT'],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g, 'Slack token'],
  [/\bglpat-[A-Za-z0-9_-]{20,}/g, 'GitLab token'],
  [/\bnpm_[A-Za-z0-9]{36}\b/g, 'npm token'],
  [/\bAIza[A-Za-z0-9_-]{35}/g, 'Google key'],
  [/\b[sr]k_live_[A-Za-z0-9]{16,}/g, 'Stripe key'],
  [/(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,100}:)[^\s/:@]{3,200}(?=@[^\s@]{1,200})/g, 'password'],
];

/** Replaces what looks like a credential by `[redacted ...]`. Errs on the side of redacting. */
export function redactSecrets(text: string): string {
  return SECRETS.reduce((result, [pattern, name]) => result.replace(pattern, `[redacted ${name}]`), text);
}
