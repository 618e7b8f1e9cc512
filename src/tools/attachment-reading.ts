import { attachmentsIn } from '../agent/attachments.ts';
import type { Api } from '../github/api.ts';
import { isUpload, readAttachment, readSigned, type UploadPlace } from '../github/attachment.ts';
import type { Audience } from '../github/audience.ts';
import { readConversation } from '../github/conversation.ts';
import { type Place, readIssue } from '../github/read.ts';
import { ToolError } from '../journal/errors.ts';
import type { AttachmentReading } from './context.ts';

/** Files that one reading fetches. */
const MOST_FILES = 10;

/**
 * Reads the files that a pull request's or issue's text and its readable comments link to, one after the other; `more` counts those that were too many, `hidden`
 * the comments that may not be read. With `url` that one only: `ToolError` where no text links to it, so that nobody is sent elsewhere.
 */
export async function readAttachments(
  { api, audience, place, uploads }: { api: Api; audience: Audience; place: Place; uploads: UploadPlace },
  { kind, url }: { kind: 'pr' | 'issue'; url?: string | undefined },
): Promise<{ files: AttachmentReading[]; more: number; hidden: number }> {
  const [{ body }, { said, hidden }] = await Promise.all([
    readIssue(api, place),
    readConversation(api, { ...place, pull: kind === 'pr' }, audience),
  ]);
  const all = attachmentsIn([body, ...said.map((one) => one.body)], uploads.webUrl);
  const wanted = url === undefined ? all : all.filter((one) => one.url === url.trim());
  if (url !== undefined && wanted.length === 0)
    throw new ToolError(
      `No text of #${place.number} that may be read links to ${url}. Attachments: ${all.map((one) => one.url).join(', ') || 'none'}.`,
    );
  const taken = wanted.slice(0, MOST_FILES);
  const signs = place.repository.private && taken.some((one) => isUpload(one.url, uploads.webUrl));
  const signed = signs ? await readSigned(api, place) : () => null;
  const files: AttachmentReading[] = [];
  for (const one of taken) files.push({ ...one, ...(await readAttachment(signed(one.url) ?? one.url, uploads)) });
  return { files, more: wanted.length - taken.length, hidden };
}
