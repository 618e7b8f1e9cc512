import { createHash } from 'node:crypto';

/** The id of a file on the page: any path is one word of letters and digits. */
export function fileAnchor(path: string): string {
  return `file-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;
}
