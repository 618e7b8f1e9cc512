import type { Repository } from '../journal/resource.ts';
import type { Api } from './api.ts';
import { GitHubError } from './error.ts';
import { repoOf } from './read.ts';

/** What an uploaded file holds: text, something else by its kind, or why it cannot be read. */
export type AttachmentContent =
  | { kind: 'text'; bytes: number; text: string }
  | { kind: 'other'; bytes: number; type: string }
  | { kind: 'unread'; why: string };

/** How uploads are fetched: from GitHub's web address (`webUrl`) and the places it sends to, and from nowhere else. */
export interface UploadPlace {
  webUrl: string;
  fetch: typeof fetch;
}

const LARGEST_BYTES = 5 * 1024 * 1024;
const MOST_HOPS = 4;
const UPLOAD_PATH = /^\/(?:user-attachments\/(?:assets|files)|storage\/user|[\w.-]+\/[\w.-]+\/(?:assets|files))\/[^/]/;
const IMAGE_HOSTS = ['user-images.githubusercontent.com', 'private-user-images.githubusercontent.com'];
const STORAGE =
  /^(?:objects\.githubusercontent\.com|github-production-(?:user-asset|repository-file|repository-image)-[0-9a-f]+\.s3\.amazonaws\.com)$/;

/** Whether an address is that of a file that somebody uploaded to this GitHub. */
export function isUpload(address: string, webUrl: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || url.username || url.password) return false;
  if (url.origin === new URL(webUrl).origin) return UPLOAD_PATH.test(url.pathname);
  return url.protocol === 'https:' && url.port === '' && IMAGE_HOSTS.includes(url.hostname);
}

/**
 * Reads an uploaded file, up to 5 MiB, without credentials: `address` has to be an upload's, and it is followed only to GitHub's own stores. Throws a
 * `network` error where GitHub does not answer.
 */
export async function readAttachment(address: string, place: UploadPlace): Promise<AttachmentContent> {
  if (!isUpload(address, place.webUrl))
    return { kind: 'unread', why: 'it is not a file that was uploaded to GitHub, and nothing else is fetched' };
  try {
    return await follow(address, place);
  } catch (error) {
    throw new GitHubError(`an attachment could not be fetched from ${new URL(address).host}: ${String(error)}`, { kind: 'network' });
  }
}

async function follow(address: string, { webUrl, fetch }: UploadPlace): Promise<AttachmentContent> {
  let at = address;
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const answer = await fetch(at, { redirect: 'manual', headers: { accept: '*/*', 'user-agent': 'pitwall' } });
    const to = answer.status >= 300 && answer.status < 400 ? answer.headers.get('location') : null;
    if (to === null) return readAnswer(answer);
    await answer.body?.cancel();
    at = new URL(to, at).href;
    if (!isUpload(at, webUrl) && !isStore(at)) return { kind: 'unread', why: PRIVATE };
  }
  return { kind: 'unread', why: 'GitHub sends from one address to the next without end' };
}

const PRIVATE = 'GitHub shows it only to people who are signed in, and not to an App. Ask for what matters in it as the text of a comment';

function isStore(address: string): boolean {
  const { protocol, hostname, port } = new URL(address);
  return protocol === 'https:' && port === '' && STORAGE.test(hostname);
}

async function readAnswer({ status, body }: Response): Promise<AttachmentContent> {
  if (status === 200) return contentOf(await readBytes(body));
  await body?.cancel();
  if (status >= 500 || status === 429) throw new Error(`its host answered ${status}`);
  return { kind: 'unread', why: [401, 403, 404].includes(status) ? PRIVATE : `its host answered ${status}` };
}

/** The whole body, or null where it is too large. */
async function readBytes(body: Response['body']): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    if (bytes > LARGEST_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** What bytes are is judged by themselves: names and types are chosen by whoever uploaded them. */
function contentOf(bytes: Buffer | null): AttachmentContent {
  if (bytes === null) return { kind: 'unread', why: `it is larger than ${LARGEST_BYTES / 1024 / 1024} MiB` };
  const type = MAGIC.find(([start]) => bytes.subarray(0, 16).toString('latin1').match(start))?.[1];
  if (type !== undefined) return { kind: 'other', bytes: bytes.length, type };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return { kind: 'text', bytes: bytes.length, text };
  } catch {}
  return { kind: 'other', bytes: bytes.length, type: 'a binary file' };
}

const MAGIC: [RegExp, string][] = [
  [/^\x89PNG\r\n/, 'a PNG image'],
  [/^\xff\xd8\xff/, 'a JPEG image'],
  [/^GIF8[79]a/, 'a GIF image'],
  [/^RIFF.{4}WEBP/s, 'a WebP image'],
  [/^%PDF-/, 'a PDF'],
  [/^PK\x03\x04/, 'a ZIP archive or an office document'],
  [/^\x1f\x8b/, 'a gzip archive'],
  [/^.{4}ftyp/s, 'a video'],
];

/**
 * Addresses that GitHub signs for a few minutes, by which an App may read images of a private repository: it shows them only in the HTML that it makes of a
 * text. Answers the one for an upload's address, or null.
 */
export async function readSigned(api: Api, place: { repository: Repository; number: number }): Promise<(address: string) => string | null> {
  const where = { ...repoOf(place), issue_number: place.number, mediaType: { format: 'full' } };
  const [item, comments] = await Promise.all([
    api.request('GET /repos/{owner}/{repo}/issues/{issue_number}', where),
    api.paginate('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...where, per_page: 100 }),
  ]);
  const html = [item.data, ...comments].map(({ body_html }) => body_html ?? '').join('\n');
  const sources = [...html.matchAll(/\ssrc="([^"]+)"/g)].map(([, source = '']) => source.replaceAll('&amp;', '&'));
  return (address) => {
    const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(address)?.[0];
    return id === undefined ? null : (sources.find((source) => source.includes(id)) ?? null);
  };
}
