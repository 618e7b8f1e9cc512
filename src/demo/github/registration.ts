import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRecord } from './fields.ts';
import { notFound } from './refusal.ts';
import { appJson } from './shape/account.ts';
import type { Permissions } from './state.ts';
import type { World } from './world.ts';

const PLACE = /^(?:\/organizations\/[^/]+)?\/settings\/apps\/new$/;
const LIFE_MS = 3_600_000;

/** A manifest that a person accepted, until its code is used. */
interface Accepted {
  manifest: Record<string, unknown>;
  until: number;
}

const waiting = new WeakMap<World, Map<string, Accepted>>();

/**
 * The page on which a person makes an App from a manifest: here everybody accepts at once and is sent back with a code. Resolves false for other
 * addresses.
 */
export async function acceptManifest(world: World, url: URL, at: { request: IncomingMessage; response: ServerResponse }): Promise<boolean> {
  if (at.request.method !== 'POST' || !PLACE.test(url.pathname)) return false;
  const parts: Buffer[] = [];
  for await (const part of at.request) parts.push(part as Buffer);
  const manifest = readManifest(new URLSearchParams(Buffer.concat(parts).toString()).get('manifest'));
  if (!manifest || typeof manifest.redirect_url !== 'string' || !URL.canParse(manifest.redirect_url)) {
    at.response.writeHead(422, { 'content-type': 'text/plain' }).end('The manifest is not valid\n');
    return true;
  }
  const code = randomBytes(20).toString('hex');
  const codes = waiting.get(world) ?? new Map<string, Accepted>();
  waiting.set(world, codes.set(code, { manifest, until: Date.now() + LIFE_MS }));
  const back = new URL(manifest.redirect_url);
  back.searchParams.set('code', code);
  const state = url.searchParams.get('state');
  if (state !== null) back.searchParams.set('state', state);
  at.response.writeHead(302, { location: back.href }).end();
  return true;
}

/** What a code is exchanged for, once: the App with its secrets. Throws a 404 for a code that is unknown, used or too old. */
export function convertManifest(world: World, code: string): Record<string, unknown> {
  const codes = waiting.get(world);
  const accepted = codes?.get(code);
  if (!accepted || accepted.until < Date.now()) throw notFound();
  codes?.delete(code);
  const { manifest } = accepted;
  const { app } = world;
  if (isRecord(manifest.default_permissions)) app.permissions = { ...manifest.default_permissions } as Permissions;
  if (Array.isArray(manifest.default_events)) app.events = manifest.default_events.map(String);
  if (isRecord(manifest.hook_attributes) && typeof manifest.hook_attributes.url === 'string')
    world.hooks.target = manifest.hook_attributes.url;
  return {
    ...appJson(world),
    client_secret: randomBytes(20).toString('hex'),
    webhook_secret: app.webhookSecret,
    pem: app.privateKey,
  };
}

function readManifest(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
