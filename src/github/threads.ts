import { type Api, queryGraph } from './api.ts';
import { type Audience, keepReadable } from './audience.ts';
import { GitHubError } from './error.ts';
import type { Place } from './read.ts';

/** A comment in a review thread. `id` is the number that replies name. */
export interface ThreadComment {
  id: number;
  author: string;
  body: string;
  url: string;
  createdAt: string;
}

/** A review thread. `threadId` is what replying and resolving want; `line` is null where it is outdated or on the whole file. */
export interface ThreadView {
  threadId: string;
  path: string;
  line: number | null;
  startLine: number | null;
  side: 'LEFT' | 'RIGHT';
  isResolved: boolean;
  isOutdated: boolean;
  comments: ThreadComment[];
  /** Comments of the thread that were not read: beyond the first 100. */
  more: number;
}

/** Threads that hold at least one comment that may be read; `hidden` counts the comments left out. */
export interface Threads {
  threads: ThreadView[];
  hidden: number;
}

const QUERY = `query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id path line startLine diffSide isResolved isOutdated
          comments(first: 100) {
            totalCount
            nodes { databaseId body url createdAt author { __typename login } }
          }
        }
      }
    }
  }
}`;

interface Page {
  repository: {
    pullRequest: {
      reviewThreads: { pageInfo: { hasNextPage: boolean; endCursor: string | null }; nodes: ThreadNode[] };
    } | null;
  } | null;
}

interface ThreadNode {
  id: string;
  path: string;
  line: number | null;
  startLine: number | null;
  diffSide: 'LEFT' | 'RIGHT';
  isResolved: boolean;
  isOutdated: boolean;
  comments: { totalCount: number; nodes: CommentNode[] };
}

interface CommentNode {
  databaseId: number;
  body: string;
  url: string;
  createdAt: string;
  author: { __typename: string; login: string } | null;
}

/** Reads all review threads of a pull request, in GitHub's order. Throws `GitHubError`s. */
export async function readThreads(api: Api, place: Place, audience: Audience): Promise<Threads> {
  const nodes = await readNodes(api, place);
  const comments = nodes.flatMap((node) => node.comments.nodes.map((comment) => toComment(node.id, comment)));
  const { items, hidden } = await keepReadable(comments, audience);
  const threads = nodes.map((node) => toThread(node, items)).filter((thread) => thread.comments.length > 0);
  return { threads, hidden };
}

async function readNodes(api: Api, { repository, number }: Place): Promise<ThreadNode[]> {
  const nodes: ThreadNode[] = [];
  let after: string | null = null;
  do {
    const page: Page = await queryGraph<Page>(api, QUERY, { owner: repository.owner, name: repository.name, number, after });
    const threads = page.repository?.pullRequest?.reviewThreads;
    if (!threads) throw new GitHubError(`GitHub has no pull request ${repository.fullName}#${number}`, { kind: 'missing' });
    nodes.push(...threads.nodes);
    after = threads.pageInfo.hasNextPage ? threads.pageInfo.endCursor : null;
  } while (after !== null);
  return nodes;
}

type OwnedComment = ThreadComment & { thread: string };

/** GraphQL gives the login of an app without the `[bot]` that REST and webhooks give. */
function toComment(thread: string, { databaseId, body, url, createdAt, author }: CommentNode): OwnedComment {
  const login = author?.login ?? 'ghost';
  const name = author?.__typename === 'Bot' && !login.endsWith('[bot]') ? `${login}[bot]` : login;
  return { thread, id: databaseId, author: name, body, url, createdAt };
}

function toThread(node: ThreadNode, comments: OwnedComment[]): ThreadView {
  return {
    threadId: node.id,
    path: node.path,
    line: node.line,
    startLine: node.startLine,
    side: node.diffSide,
    isResolved: node.isResolved,
    isOutdated: node.isOutdated,
    comments: comments.filter(({ thread }) => thread === node.id).map(({ thread: _, ...comment }) => comment),
    more: Math.max(0, node.comments.totalCount - node.comments.nodes.length),
  };
}
