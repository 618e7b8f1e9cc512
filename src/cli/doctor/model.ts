import { createTransport } from '../../agent/transport.ts';
import type { Survey } from '../survey.ts';
import { broken, type Check, type Finding, ok, warning } from './check.ts';

const NAME = 'model';

/** Whether the model's endpoint takes the key and knows the model: by its list of models, or by a call of one token where it has none. */
export function checkModel({ model, proxy }: Pick<Survey, 'model' | 'proxy'>, id: string): Check {
  return {
    name: NAME,
    async run(signal) {
      const { apiKey, baseURL } = model;
      if (apiKey === null || baseURL === null) return [];
      const host = new URL(baseURL).host;
      const ask = askOf({ apiKey, baseURL, signal, send: createTransport(proxy ? { proxy } : {}) });
      try {
        const listed = await ask('GET', `/v1/models/${encodeURIComponent(id)}`);
        const isList = listed.status === 200 || listed.status === 401 || listed.status === 403;
        if (isList) return [judge(listed, { host, id, by: 'its list of models' })];
        const body = { model: id, max_tokens: 1, messages: [{ role: 'user', content: 'Answer with OK.' }] };
        return [judge(await ask('POST', '/v1/messages', body), { host, id, by: 'a call of one token' })];
      } catch (error) {
        const found = `${host} cannot be reached (${error instanceof Error ? error.message : String(error)})`;
        return [broken(NAME, found, 'Check ANTHROPIC_BASE_URL, the network, and HTTPS_PROXY where there is a proxy.')];
      }
    },
  };
}

interface Answer {
  status: number;
  said: string;
}

function judge({ status, said }: Answer, { host, id, by }: { host: string; id: string; by: string }): Finding {
  const found = `${host} answered ${status} to ${by}${said ? `: ${said}` : ''}`;
  if (status === 200) return ok(NAME, `${host} takes the key and knows ${id} (asked by ${by})`);
  if (status === 401) return broken(NAME, found, `Set ANTHROPIC_API_KEY to a key that is valid at ${host}.`);
  if (status === 402 || /credit balance|billing/i.test(said))
    return broken(NAME, found, 'Look at the billing page of the account of ANTHROPIC_API_KEY.');
  if (status === 403) return broken(NAME, found, `Allow the key of ANTHROPIC_API_KEY to use ${id} at ${host}.`);
  if (status === 404) return broken(NAME, found, 'Correct "models.default.id" in the settings, or ANTHROPIC_BASE_URL.');
  if (status === 429 || status >= 500) return warning(NAME, found, 'Run the doctor again in a while: the endpoint is busy or down.');
  return broken(NAME, found, 'Correct ANTHROPIC_BASE_URL: it must be an endpoint that speaks the Messages API.');
}

interface Endpoint {
  apiKey: string;
  baseURL: string;
  signal: AbortSignal;
  send: typeof fetch;
}

function askOf({ apiKey, baseURL, signal, send }: Endpoint) {
  return async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await send(`${baseURL.replace(/\/+$/, '')}${path}`, {
      method,
      headers: { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', connection: 'close' },
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, said: response.status === 200 ? '' : messageOf(text) };
  };
}

function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message.slice(0, 200) : '';
  } catch {
    return '';
  }
}
