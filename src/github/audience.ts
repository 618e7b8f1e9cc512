/** Who is being read for: decides whose comments a model may see. */
export interface Audience {
  /** Login of the pull request's or issue's author, whose own comments stay. */
  author: string;
  /** The App's own login, whose comments stay. */
  self: string;
  /** Whether comments of this person may be read: write permission, or the setting `readStrangers`. May throw: then reading fails. */
  mayBeRead(login: string): Promise<boolean>;
}

/** What may be read, and how many were left out. */
export interface Readable<T> {
  items: T[];
  hidden: number;
}

/** Leaves out what people without write permission wrote; asks once per person. */
export async function keepReadable<T extends { author: string }>(items: T[], audience: Audience): Promise<Readable<T>> {
  const people = [...new Set(items.map(({ author }) => author))];
  const answers = await Promise.all(people.map(async (login) => [login, await isReadable(login, audience)] as const));
  const readable = new Set(answers.filter(([, may]) => may).map(([login]) => login));
  const kept = items.filter(({ author }) => readable.has(author));
  return { items: kept, hidden: items.length - kept.length };
}

async function isReadable(login: string, { author, self, mayBeRead }: Audience): Promise<boolean> {
  const name = login.toLowerCase();
  return name === author.toLowerCase() || name === self.toLowerCase() || mayBeRead(login);
}
