import { parse } from 'yaml';
import { z } from 'zod';

const AppManifest = z.object({
  name: z.string().min(1),
  url: z.string().min(1),
  default_permissions: z.record(z.string(), z.enum(['read', 'write', 'admin'])),
  default_events: z.array(z.string()),
});

/** What a GitHub App needs, by GitHub's own names: `app.yml`. */
export interface AppManifest {
  name: string;
  url: string;
  permissions: Record<string, 'read' | 'write' | 'admin'>;
  events: string[];
}

/** Reads the text of `app.yml`. Throws an Error that names what is not right in it. */
export function parseAppManifest(text: string): AppManifest {
  const parsed = AppManifest.safeParse(parse(text, { maxAliasCount: 20 }));
  if (!parsed.success) throw new Error(`app.yml is not a manifest of a GitHub App: ${z.prettifyError(parsed.error)}`);
  const { name, url, default_permissions, default_events } = parsed.data;
  return { name, url, permissions: default_permissions, events: default_events };
}
