import { BASE } from './base.ts';
import { edit, type SamplePull } from './change.ts';

const FILTER = `import type { Parcel } from './parcel.ts';

/** Shops may filter by a rule of their own, such as \`weightGrams > 500\`. */
export function filterBy(parcels: Parcel[], rule: string): Parcel[] {
  const test = new Function('parcel', 'with (parcel) { return ' + rule + ' }');
  return parcels.filter((parcel) => test(parcel));
}

/** One page of a list; pages begin at 1. */
export function pageOf(parcels: Parcel[], page: string, size = 20): Parcel[] {
  const start = (parseInt(page) - 1) * size;
  return parcels.slice(start, start + size);
}

export function isMine(parcel: Parcel, shop: string | null): boolean {
  return parcel.shop == shop;
}
`;

/** A second pull request, for when the first one is done: three faults in a new file, one check taken away. */
export const FILTERS: SamplePull = {
  branch: 'filters',
  title: 'Filter and page lists',
  body: 'Lists can be filtered by a rule and are given page by page.',
  message: 'Filter and page lists',
  files: {
    'src/filter.ts': FILTER,
    'src/hook.ts': edit(BASE['src/hook.ts'] ?? '', [
      "  if (message.status !== 'moving' && message.status !== 'delivered') throw new Error('unknown status');\n",
      '',
    ]),
  },
  planted: [
    {
      path: 'src/filter.ts',
      side: 'RIGHT',
      text: "const test = new Function('parcel', 'with (parcel) { return ' + rule + ' }');",
      what: "a shop's rule is run as code",
    },
    { path: 'src/filter.ts', side: 'RIGHT', text: 'const start = (parseInt(page) - 1) * size;', what: 'a page that is no number' },
    { path: 'src/filter.ts', side: 'RIGHT', text: 'return parcel.shop == shop;', what: 'loose comparison of who may see it' },
    {
      path: 'src/hook.ts',
      side: 'LEFT',
      text: "if (message.status !== 'moving' && message.status !== 'delivered') throw new Error('unknown status');",
      what: 'any status is taken from outside',
    },
  ],
};
