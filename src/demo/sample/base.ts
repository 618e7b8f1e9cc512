/** The sample repository before the change: a small service that keeps track of parcels. */
export const BASE: Record<string, string> = {
  'README.md': `# parcels

Keeps track of parcels for a handful of warehouses: takes orders, prints labels, tells shops when something moves.

    npm start          # listens on PORT, 8080 by default
    npm test
`,
  'AGENTS.md': `# For those who work here

- Money is in cents, weight in grams, times are ISO 8601 in UTC.
- Every query uses bind parameters.
- What comes from outside (routes, hooks) is checked where it comes in.
`,
  'package.json': `{
  "name": "parcels",
  "version": "2.3.0",
  "private": true,
  "type": "module",
  "scripts": { "start": "tsx src/server.ts", "test": "node --test" },
  "dependencies": { "better-sqlite3": "^12.0.0", "tsx": "^4.0.0" }
}
`,
  'src/settings.ts': `/** What the service is told by its environment. */
export interface Settings {
  port: number;
  database: string;
  hookSecret: string;
  carrierUrl: string;
}

export function readSettings(env: Record<string, string | undefined>): Settings {
  const { HOOK_SECRET, CARRIER_URL } = env;
  if (!HOOK_SECRET) throw new Error('HOOK_SECRET is missing');
  if (!CARRIER_URL) throw new Error('CARRIER_URL is missing');
  return {
    port: Number(env.PORT ?? 8080),
    database: env.DATABASE ?? 'parcels.db',
    hookSecret: HOOK_SECRET,
    carrierUrl: CARRIER_URL,
  };
}
`,
  'src/parcel.ts': `/** A parcel on its way. */
export interface Parcel {
  id: string;
  shop: string;
  weightGrams: number;
  status: 'ordered' | 'labelled' | 'moving' | 'delivered';
  promisedAt: string;
  deliveredAt: string | null;
}

export function isLate(parcel: Parcel, now: string): boolean {
  return parcel.status !== 'delivered' && parcel.promisedAt < now;
}
`,
  'src/store.ts': `import type { Parcel } from './parcel.ts';

export interface Database {
  all(statement: string, values: unknown[]): Promise<Parcel[]>;
  run(statement: string, values: unknown[]): Promise<void>;
}

/** Parcels in the database. */
export class ParcelStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(id: string): Promise<Parcel | undefined> {
    const rows = await this.#database.all('SELECT * FROM parcels WHERE id = ?', [id]);
    return rows[0];
  }

  async ofShop(shop: string): Promise<Parcel[]> {
    return this.#database.all('SELECT * FROM parcels WHERE shop = ? ORDER BY promisedAt', [shop]);
  }

  async save(parcel: Parcel): Promise<void> {
    await this.#database.run('INSERT OR REPLACE INTO parcels VALUES (?, ?, ?, ?, ?, ?)', Object.values(parcel));
  }
}
`,
  'src/price.ts': `/** Cents for a parcel of this weight. */
export function priceOf(weightGrams: number): number {
  if (weightGrams <= 1_000) return 490;
  if (weightGrams <= 5_000) return 790;
  if (weightGrams <= 20_000) return 1_490;
  throw new RangeError('parcels over 20 kg go by freight');
}

/** Shops with more than 500 parcels a month pay 10 % less. */
export function priceForShop(weightGrams: number, parcelsThisMonth: number): number {
  const price = priceOf(weightGrams);
  return parcelsThisMonth > 500 ? Math.round(price * 0.9) : price;
}
`,
  'src/label.ts': `import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Prints the label of a parcel. The name of the printer comes from the warehouse's form. */
export async function printLabel(id: string, printer: string): Promise<void> {
  await run('lp', ['-d', printer, 'labels/' + id + '.pdf']);
}
`,
  'src/hook.ts': `import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ParcelStore } from './store.ts';

export interface CarrierMessage {
  parcel: string;
  status: 'moving' | 'delivered';
  at: string;
}

/** Takes a message of the carrier. Throws where it is not signed by the carrier. */
export async function takeMessage(body: string, signature: string, store: ParcelStore, secret: string): Promise<void> {
  if (!isSigned(body, signature, secret)) {
    throw new Error('the signature is wrong');
  }
  const message = readMessage(body);
  const parcel = await store.find(message.parcel);
  if (parcel === undefined) throw new Error('no such parcel: ' + message.parcel);
  await store.save({ ...parcel, status: message.status, deliveredAt: message.status === 'delivered' ? message.at : null });
}

function isSigned(body: string, signature: string, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(signature, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function readMessage(body: string): CarrierMessage {
  const message = JSON.parse(body) as CarrierMessage;
  if (message.status !== 'moving' && message.status !== 'delivered') throw new Error('unknown status');
  return message;
}
`,
  'src/server.ts': `import { createServer } from 'node:http';
import { takeMessage } from './hook.ts';
import type { Settings } from './settings.ts';
import type { ParcelStore } from './store.ts';

/** The routes of the service. */
export function serve(store: ParcelStore, settings: Settings) {
  return createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    try {
      if (url.pathname === '/hook') {
        await takeMessage(await textOf(request), String(request.headers['x-signature']), store, settings.hookSecret);
        return answer(204, {});
      }
      const shop = url.searchParams.get('shop');
      if (shop === null) return answer(400, { error: 'which shop?' });
      return answer(200, await store.ofShop(shop));
    } catch (error) {
      return answer(500, { error: error instanceof Error ? error.message : 'unknown' });
    }
  }).listen(settings.port);
}

async function textOf(request: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
`,
  'test/price.test.ts': `import assert from 'node:assert';
import { test } from 'node:test';
import { priceForShop, priceOf } from '../src/price.ts';

test('heavier parcels cost more', () => {
  assert.deepEqual([900, 4_000, 19_000].map(priceOf), [490, 790, 1_490]);
});

test('large shops pay less', () => {
  assert.equal(priceForShop(900, 501), 441);
});
`,
};
