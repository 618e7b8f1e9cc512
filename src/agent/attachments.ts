/** A file or image that somebody put into a text: its name as far as the text tells one, and where it is. */
export interface Attachment {
  name: string;
  url: string;
}

const MARKDOWN = /(!?)\[([^\]\n]{0,200})\]\(\s*<?(https?:\/\/[^\s)>]{1,2000})>?(?:[^\S\n][^)\n]{0,200})?\)/g;
const TAG = /<img\b[^>]{0,500}>/gi;
const MOST = 50;

/**
 * The files and images that texts link to: what was uploaded to GitHub (whose pages are at `webUrl`), and every image. Each address once, in the order in which
 * they stand.
 */
export function attachmentsIn(texts: readonly string[], webUrl = 'https://github.com'): Attachment[] {
  const uploaded = uploadedAt(webUrl);
  const found = new Map<string, Attachment>();
  const add = (url: string, name: string) => {
    if (!found.has(url) && found.size < MOST) found.set(url, { url, name: name.trim() || lastPart(url) });
  };
  for (const text of texts) {
    for (const [, image, name = '', url = ''] of text.matchAll(MARKDOWN)) if (image || uploaded.test(url)) add(url, name);
    for (const [tag] of text.matchAll(TAG)) {
      const url = attributeOf(tag, 'src');
      if (/^https?:\/\//.test(url)) add(url, attributeOf(tag, 'alt'));
    }
    for (const [url] of text.matchAll(new RegExp(uploaded, 'g')))
      if (![...found.keys()].some((known) => known.startsWith(url))) add(url, '');
  }
  return [...found.values()];
}

function uploadedAt(webUrl: string): RegExp {
  const own = webUrl.replace(/[.\\+*?^$()[\]{}|]/g, '\\$&');
  const paths = '(?:user-attachments/(?:assets|files)|storage/user|[\\w.-]+/[\\w.-]+/(?:assets|files))';
  return new RegExp(`(?:${own}/${paths}|https://(?:user-images|private-user-images)\\.githubusercontent\\.com)/[\\w./%-]+`);
}

function attributeOf(tag: string, name: string): string {
  return new RegExp(`\\b${name}\\s*=\\s*["']([^"']*)["']`, 'i').exec(tag)?.[1] ?? '';
}

function lastPart(url: string): string {
  return (
    decodeURI(url.split(/[?#]/)[0] ?? '')
      .split('/')
      .at(-1) || 'attachment'
  );
}
