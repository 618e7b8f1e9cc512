/** A mistake that was put into a change on purpose. `text` is the whole line without its indentation; the line number follows from it. */
export interface PlantedText {
  path: string;
  side: 'LEFT' | 'RIGHT';
  text: string;
  what: string;
}

/** A commit that is ready to be pushed: whole new contents by path, null deletes. */
export interface SampleCommit {
  message: string;
  files: Record<string, string | null>;
  planted: PlantedText[];
}

/** A pull request that is ready to be opened. */
export interface SamplePull extends SampleCommit {
  branch: string;
  title: string;
  body: string;
}

/** `text` with each `[old, fresh]` replaced once; throws where the old text is not there, so that the sample cannot drift apart silently. */
export function edit(text: string, ...edits: [old: string, fresh: string][]): string {
  return edits.reduce((result, [old, fresh]) => {
    if (!result.includes(old)) throw new Error(`the sample's text has no "${old}"`);
    return result.replace(old, () => fresh);
  }, text);
}
