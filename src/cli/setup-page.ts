/** What a page of the setup shows; texts are escaped here. */
export interface SetupPage {
  title: string;
  text: string;
  /** A form that is sent to GitHub, or a link to follow. */
  next?: { kind: 'form'; action: string; manifest: string; label: string } | { kind: 'link'; href: string; label: string };
}

/** The HTML of a page and the headers that go with it: no script, no frame, and a form that can be sent to GitHub only. */
export function renderPage(page: SetupPage): { html: string; headers: Record<string, string> } {
  const { next } = page;
  const to = next?.kind === 'form' ? new URL(next.action).origin : "'none'";
  return {
    html: [
      '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
      `<title>${escapeHtml(page.title)}</title></head><body><main><h1>${escapeHtml(page.title)}</h1>`,
      `<p>${escapeHtml(page.text)}</p>${next ? renderNext(next) : ''}</main></body></html>\n`,
    ].join(''),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; form-action ${to}; frame-ancestors 'none'; base-uri 'none'`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  };
}

function renderNext(next: NonNullable<SetupPage['next']>): string {
  if (next.kind === 'link') return `<p><a href="${escapeHtml(next.href)}">${escapeHtml(next.label)}</a></p>`;
  const hidden = `<input type="hidden" name="manifest" value="${escapeHtml(next.manifest)}">`;
  return `<form method="post" action="${escapeHtml(next.action)}">${hidden}<button autofocus>${escapeHtml(next.label)}</button></form>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
