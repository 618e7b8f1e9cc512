import { createHmac, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Repository } from '../state.ts';
import type { World } from '../world.ts';

/** A file that a person dropped into a text. */
interface Upload {
  id: number;
  uuid: string;
  repo: Repository;
  name: string;
  content: Buffer;
}

const IMAGE = /\.(?:png|jpe?g|gif|webp|svg)$/i;
const kept = new WeakMap<World, Map<string, Upload>>();

function uploadsOf(world: World): Map<string, Upload> {
  const known = kept.get(world) ?? new Map<string, Upload>();
  kept.set(world, known);
  return known;
}

/** Keeps a file and answers the address that stands in the text then, as GitHub's editor writes it. */
export function addUpload(world: World, repo: Repository, { name, content }: { name: string; content: string | Buffer }): string {
  const upload = { id: world.nextId(), uuid: randomUUID(), repo, name, content: Buffer.from(content) };
  uploadsOf(world).set(upload.uuid, upload);
  return addressOf(world, upload);
}

function addressOf(world: World, { id, uuid, name }: Upload): string {
  return `${world.url}/user-attachments/${IMAGE.test(name) ? `assets/${uuid}` : `files/${id}/${encodeURIComponent(name)}`}`;
}

function signedAddress(world: World, { id, uuid }: Upload): string {
  return `${world.url}/storage/user/${id}/files/${uuid}?jwt=${signatureOf(world, uuid)}&v=1`;
}

function signatureOf(world: World, uuid: string): string {
  return createHmac('sha256', world.app.webhookSecret).update(uuid).digest('base64url');
}

/**
 * Serves uploads: what a public repository's texts link to is sent on to its store; of a private one only who is signed in gets that, and no App is. The store
 * asks for a signature. Answers false for other addresses.
 */
export function serveUpload(
  world: World,
  url: URL,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): boolean {
  const stored = /^\/storage\/user\/\d+\/files\/([0-9a-f-]{36})$/.exec(url.pathname)?.[1];
  const linked = /^\/user-attachments\/(?:assets|files)\//.test(url.pathname);
  if (request.method !== 'GET' || (stored === undefined && !linked)) return false;
  const all = [...uploadsOf(world).values()];
  const upload = all.find((one) => one.uuid === stored || addressOf(world, one) === `${world.url}${url.pathname}`);
  const signed = upload !== undefined && url.searchParams.get('jwt') === signatureOf(world, upload.uuid);
  if (upload && linked && !upload.repo.private) response.writeHead(302, { location: signedAddress(world, upload) }).end();
  else if (upload && stored !== undefined && signed)
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(upload.content);
  else response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found\n');
  return true;
}

/** A text as HTML, as far as it matters here: of uploaded images it has signed addresses, which anybody may fetch for a while. */
export function htmlOf(world: World, body: string | null): string {
  const plain = (body ?? '').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const withImages = plain.replace(/!\[([^\]]*)\]\(([^)\s]+)\)/g, (_, alt: string, address: string) => {
    const upload = [...uploadsOf(world).values()].find((one) => IMAGE.test(one.name) && addressOf(world, one) === address);
    const source = upload ? signedAddress(world, upload).replaceAll('&', '&amp;') : address;
    return `<img src="${source}" alt="${alt}">`;
  });
  return `<p>${withImages}</p>`;
}
