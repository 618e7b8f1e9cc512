import type { ServerResponse } from 'node:http';

/**
 * Something that goes wrong on purpose. `on` is a route (`POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews`) or an expression over "METHOD /path" without the
 * prefix of the API; git requests are "GIT /owner/repo.git/git-upload-pack". `when: 'after'` lets the request have its effect first. `skip` requests pass, then
 * `times` are hit (default 1); `every: n` hits only each n-th that fits. `cut` answers 200 and breaks off in the middle of its JSON.
 */
export interface FaultOptions {
  on: string | RegExp;
  kind?: 'status' | 'reset' | 'cut' | 'hang' | 'latency' | 'secondary' | 'primary';
  when?: 'before' | 'after';
  times?: number;
  skip?: number;
  every?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Length of a hang or latency; a hang without it lasts until the client gives up. */
  ms?: number;
  /** Seconds of a limit: `retry-after` of a secondary one (null: not sent), time to the reset of a primary one. */
  seconds?: number | null;
}

/** A fault with its count of hits. */
export type Fault = FaultOptions & { hits: number; seen: number };

/** How a fault answers: `sever` cuts the connection, `cut` does so in the middle of an answer, `pass` changes nothing further. */
export type FaultAnswer =
  | { kind: 'pass' }
  | { kind: 'sever' }
  | { kind: 'cut' }
  | { kind: 'answer'; status: number; body: unknown; headers: Record<string, string>; limitedFor: number | null };

const MESSAGES: Record<number, string> = { 404: 'Not Found', 500: 'Server Error', 502: 'Server Error', 503: 'Service Unavailable' };
const LIMITS = 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api';

/** The faults of one double. */
export class Faults {
  #faults: Fault[] = [];

  add(options: FaultOptions): Fault {
    const fault = { ...options, hits: 0, seen: 0 };
    this.#faults.push(fault);
    return fault;
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault that hits this request, counted; null when none does. */
  take(request: { route: string; address: string }): Fault | null {
    for (const fault of this.#faults) {
      if (fault.hits >= (fault.times ?? 1)) continue;
      const fits = typeof fault.on === 'string' ? fault.on === request.route : fault.on.test(request.address);
      if (!fits || fault.seen++ < (fault.skip ?? 0) || fault.seen % (fault.every ?? 1) !== 0) continue;
      fault.hits++;
      return fault;
    }
    return null;
  }
}

/** Carries a fault out as far as time goes, and says what is to be answered. */
export async function playFault(fault: Fault, response: ServerResponse): Promise<FaultAnswer> {
  switch (fault.kind ?? 'status') {
    case 'reset':
      return { kind: 'sever' };
    case 'cut':
      return { kind: 'cut' };
    case 'hang':
      await pause(response, fault.ms ?? null);
      return { kind: 'sever' };
    case 'latency':
      await pause(response, fault.ms ?? 100);
      return { kind: 'pass' };
    case 'secondary':
      return limitSecondary(fault);
    case 'primary':
      return limitPrimary(fault);
    default:
      return answerStatus(fault);
  }
}

function answerStatus(fault: Fault): FaultAnswer {
  const status = fault.status ?? 502;
  const body = fault.body ?? {
    message: MESSAGES[status] ?? 'Server Error',
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  };
  return { kind: 'answer', status, body, headers: fault.headers ?? {}, limitedFor: null };
}

function limitSecondary(fault: Fault): FaultAnswer {
  const status = fault.status ?? 403;
  const seconds = fault.seconds === undefined ? 60 : fault.seconds;
  const message =
    'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.';
  const body = fault.body ?? { message, documentation_url: `${LIMITS}#about-secondary-rate-limits`, status: String(status) };
  return { kind: 'answer', status, body, headers: seconds === null ? {} : { 'retry-after': String(seconds) }, limitedFor: seconds ?? 60 };
}

function limitPrimary(fault: Fault): FaultAnswer {
  const seconds = fault.seconds ?? 60;
  const reset = Math.ceil(Date.now() / 1000) + seconds;
  const body = { message: 'API rate limit exceeded for installation.', documentation_url: LIMITS, status: '403' };
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) };
  return { kind: 'answer', status: fault.status ?? 403, body, headers, limitedFor: seconds };
}

function pause(response: ServerResponse, ms: number | null): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === null ? null : setTimeout(resolve, ms);
    response.once('close', () => {
      if (timer) clearTimeout(timer);
      resolve();
    });
  });
}
