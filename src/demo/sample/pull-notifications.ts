import { BASE } from './base.ts';
import { edit, type SamplePull } from './change.ts';

const base = (path: string) => BASE[path] ?? '';

const NOTIFY = `import { Agent, request } from 'node:https';
import type { Parcel } from './parcel.ts';
import type { Settings } from './settings.ts';

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

/** Tells the shop that its parcel has moved. */
export async function notifyShop(parcel: Parcel, settings: Settings): Promise<void> {
  const body = JSON.stringify({ parcel: parcel.id, status: parcel.status });
  try {
    await post(new URL('/shops/' + parcel.shop, settings.carrierUrl), body);
  } catch {
  }
}

function post(url: URL, body: string): Promise<void> {
  return new Promise((done, failed) => {
    const call = request(url, { agent, method: 'POST' }, (response) => {
      response.resume();
      response.on('end', done);
    });
    call.on('error', failed);
    call.end(body);
  });
}
`;

const REPORT = `import { isLate, type Parcel } from './parcel.ts';

export interface DailyReport {
  late: string[];
  averageGrams: number;
}

/** What the warehouse gets every morning. */
export function reportOf(parcels: Parcel[], now: string): DailyReport {
  const late: string[] = [];
  for (let at = 0; at <= parcels.length; at++) {
    const parcel = parcels[at];
    if (isLate(parcel, now)) late.push(parcel.id);
  }
  const grams = parcels.reduce((sum, parcel) => sum + parcel.weightGrams, 0);
  return { late, averageGrams: Math.round(grams / parcels.length) };
}
`;

/** The change that the demo reviews first: ten planted faults in eight files. */
export const NOTIFICATIONS: SamplePull = {
  branch: 'notifications',
  title: 'Notify shops, daily report, search by status',
  body: 'Shops are told when a parcel moves, warehouses get a report every morning, and `/parcels` can be filtered by status. Labels can be printed in several copies.',
  message: 'Notify shops, daily report, search by status',
  files: {
    'src/notify.ts': NOTIFY,
    'src/report.ts': REPORT,
    'src/settings.ts': edit(
      base('src/settings.ts'),
      ['  carrierUrl: string;\n}', "  carrierUrl: string;\n  carrierKey: string;\n}\n\nconst CARRIER_API_KEY = 'pk-7f3Qm2LxV9sTz81WbEo4';"],
      ['carrierUrl: CARRIER_URL,', 'carrierUrl: CARRIER_URL,\n    carrierKey: env.CARRIER_KEY ?? CARRIER_API_KEY,'],
    ),
    'src/store.ts': edit(base('src/store.ts'), [
      '  async save(',
      `  async withStatus(shop: string, status: string): Promise<Parcel[]> {
    return this.#database.all(\`SELECT * FROM parcels WHERE shop = ? AND status = '\${status}'\`, [shop]);
  }

  async save(`,
    ]),
    'src/label.ts': edit(
      base('src/label.ts'),
      ['import { execFile }', 'import { exec }'],
      ['promisify(execFile)', 'promisify(exec)'],
      ['/** Prints the label of a parcel.', '/** Prints the label of a parcel, as often as asked.'],
      ['printer: string)', 'printer: string, copies = 1)'],
      [
        "await run('lp', ['-d', printer, 'labels/' + id + '.pdf']);",
        'await promisify(exec)(`lp -d ${printer} -n ${copies} labels/${id}.pdf`);',
      ],
      ['\nconst run = promisify(exec);\n', ''],
    ),
    'src/hook.ts': edit(
      base('src/hook.ts'),
      [
        "import type { ParcelStore } from './store.ts';",
        "import { notifyShop } from './notify.ts';\nimport type { Settings } from './settings.ts';\nimport type { ParcelStore } from './store.ts';",
      ],
      ['store: ParcelStore, secret: string)', 'store: ParcelStore, settings: Settings)'],
      ['isSigned(body, signature, secret)) {', 'isSigned(body, signature, settings.hookSecret)) {'],
      ["  if (parcel === undefined) throw new Error('no such parcel: ' + message.parcel);\n", ''],
      ['  await store.save({ ...parcel,', '  const moved = { ...parcel,'],
      ['message.at : null });', 'message.at : null };\n  await store.save(moved);\n  await notifyShop(moved, settings);'],
    ),
    'src/server.ts': edit(
      base('src/server.ts'),
      ['store, settings.hookSecret);', 'store, settings);'],
      [
        '      return answer(200, await store.ofShop(shop));',
        `      if (request.method === 'PUT') {
        const parcel = { ...JSON.parse(await textOf(request)), shop, status: 'ordered' };
        store.save(parcel);
        return answer(201, parcel);
      }
      const status = url.searchParams.get('status');
      return answer(200, status ? await store.withStatus(shop, status) : await store.ofShop(shop));`,
      ],
    ),
    'src/price.ts': edit(
      base('src/price.ts'),
      [
        'Shops with more than 500 parcels a month pay 10 % less.',
        'Shops with more than 500 parcels a month pay 10 % less, with more than 2 000 15 %.',
      ],
      [
        '  return parcelsThisMonth > 500 ? Math.round(price * 0.9) : price;',
        '  if (parcelsThisMonth > 500) return Math.round(price * 0.9);\n  return parcelsThisMonth > 2_000 ? Math.round(price * 0.85) : price;',
      ],
    ),
  },
  planted: [
    {
      path: 'src/settings.ts',
      side: 'RIGHT',
      text: "const CARRIER_API_KEY = 'pk-7f3Qm2LxV9sTz81WbEo4';",
      what: 'a key in the source',
    },
    {
      path: 'src/store.ts',
      side: 'RIGHT',
      text: "return this.#database.all(`SELECT * FROM parcels WHERE shop = ? AND status = '${status}'`, [shop]);",
      what: 'SQL injection by the status',
    },
    {
      path: 'src/label.ts',
      side: 'RIGHT',
      text: 'await promisify(exec)(`lp -d ${printer} -n ${copies} labels/${id}.pdf`);',
      what: 'shell injection by the printer',
    },
    {
      path: 'src/hook.ts',
      side: 'LEFT',
      text: "if (parcel === undefined) throw new Error('no such parcel: ' + message.parcel);",
      what: 'the check for an unknown parcel is gone',
    },
    {
      path: 'src/notify.ts',
      side: 'RIGHT',
      text: 'const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });',
      what: 'certificates are not checked',
    },
    { path: 'src/notify.ts', side: 'RIGHT', text: '} catch {', what: 'a failed notification is lost without a word' },
    {
      path: 'src/report.ts',
      side: 'RIGHT',
      text: 'for (let at = 0; at <= parcels.length; at++) {',
      what: 'one step behind the end of the list',
    },
    {
      path: 'src/report.ts',
      side: 'RIGHT',
      text: 'return { late, averageGrams: Math.round(grams / parcels.length) };',
      what: 'NaN on a day without parcels',
    },
    { path: 'src/server.ts', side: 'RIGHT', text: 'store.save(parcel);', what: 'answered before it is saved' },
    {
      path: 'src/price.ts',
      side: 'RIGHT',
      text: 'return parcelsThisMonth > 2_000 ? Math.round(price * 0.85) : price;',
      what: 'the 15 % are never reached (needs understanding: the scripted rules do not see it)',
    },
  ],
};

/** The next commit on that branch: five of the faults are mended, two new ones come in. */
export const NOTIFICATIONS_NEXT = {
  message: 'Review: bind the status, check the list, save before the answer; retries',
  files: {
    'src/store.ts': edit(NOTIFICATIONS.files['src/store.ts'] ?? '', [
      "`SELECT * FROM parcels WHERE shop = ? AND status = '${status}'`, [shop]",
      "'SELECT * FROM parcels WHERE shop = ? AND status = ?', [shop, status]",
    ]),
    'src/report.ts': edit(
      REPORT,
      ['at <= parcels.length', 'at < parcels.length'],
      ['Math.round(grams / parcels.length)', 'parcels.length ? Math.round(grams / parcels.length) : 0'],
    ),
    'src/server.ts': edit(NOTIFICATIONS.files['src/server.ts'] ?? '', ['        store.save(parcel);', '        await store.save(parcel);']),
    'src/notify.ts': edit(
      NOTIFY,
      [', rejectUnauthorized: false', ''],
      [
        `  try {
    await post(new URL('/shops/' + parcel.shop, settings.carrierUrl), body);
  } catch {
  }
`,
        `  while (true) {
    const sent = await post(new URL('/shops/' + parcel.shop, settings.carrierUrl), body).then(() => true, () => false);
    console.log('notified', parcel, sent);
    if (sent) return;
  }
`,
      ],
    ),
  } as Record<string, string | null>,
  planted: [
    { path: 'src/notify.ts', side: 'RIGHT' as const, text: 'while (true) {', what: 'tries for ever, without a pause' },
    {
      path: 'src/notify.ts',
      side: 'RIGHT' as const,
      text: "console.log('notified', parcel, sent);",
      what: 'prints what belongs to the shop',
    },
  ],
};
