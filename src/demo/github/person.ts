import type { FileChanges } from '../git/files.ts';
import type { Target } from './act/anchor.ts';
import { pressCheck } from './act/check.ts';
import { addComment, addReaction, deleteComment, editComment, type Reactable } from './act/comment.ts';
import { addLabels, closeItem, editItem, lockItem, type NewItem, openIssue, removeLabel, reopenItem, setAssignees } from './act/item.ts';
import { changeBase, type MergeOptions, mergePull, openPull, requestReviewers, setDraft } from './act/pull.ts';
import { settleHeads } from './act/push.ts';
import { forkRepository, type PushOptions, pushFiles } from './act/repository.ts';
import { createReview, dismissReview, type NewReview } from './act/review.ts';
import { createReviewComment, deleteReviewComment, editReviewComment, replyToThread, resolveThread, rootOf } from './act/review-comment.ts';
import { addUpload } from './act/upload.ts';
import { addWorkflowRun, completeWorkflowRun, type NewWorkflowRun } from './act/workflow-run.ts';
import type { WorkflowRun } from './ci.ts';
import type { Scene } from './route.ts';
import {
  type Account,
  type CheckRun,
  type Comment,
  type Item,
  isPull,
  type PullItem,
  type Reaction,
  type Repository,
  type Review,
  type ReviewComment,
} from './state.ts';
import type { World } from './world.ts';

/** A repository or its full name. */
type Where = string | Repository;

/** What a person writes to open a pull request: `head` is a branch here, or of their fork when that is named. */
export interface PullFields extends NewItem {
  head: string;
  base?: string;
  draft?: boolean;
  fork?: Where;
}

/** Somebody at the keyboard: what they do changes the double and sends the webhooks that GitHub would send. Methods throw what GitHub would refuse. */
export class Person {
  readonly account: Account;
  readonly #world: World;

  constructor(world: World, account: Account) {
    this.#world = world;
    this.account = account;
  }

  get login(): string {
    return this.account.login;
  }

  /** A personal token, for the API and for git. */
  token(): string {
    return this.#world.issueUserToken(this.account).value;
  }

  /** Commits to a branch, which is made when it is missing. Resolves with the commit's id. */
  push(where: Where, branch: string, files: FileChanges, options: PushOptions = {}): Promise<string> {
    return pushFiles(this.#at(where), { branch, files, ...options });
  }

  /** Replaces a branch by one commit on top of the default branch. */
  forcePush(where: Where, branch: string, files: FileChanges, options: PushOptions = {}): Promise<string> {
    return this.push(where, branch, files, { ...options, force: true });
  }

  async deleteBranch(where: Where, branch: string): Promise<void> {
    const scene = this.#at(where);
    await scene.repo.bare.deleteRef(`refs/heads/${branch}`);
    await settleHeads(scene);
  }

  fork(where: Where): Promise<Repository> {
    return forkRepository(this.#at(where));
  }

  /** Drops a file into a text: answers the address to link to. */
  upload(where: Where, file: { name: string; content: string | Buffer }): string {
    return addUpload(this.#world, this.#at(where).repo, file);
  }

  openPull(where: Where, fields: PullFields): Promise<PullItem> {
    const scene = this.#at(where);
    const { head, fork, ...rest } = fields;
    return openPull(scene, { ...rest, head: { repo: fork === undefined ? scene.repo : this.#at(fork).repo, ref: head } });
  }

  openIssue(where: Where, fields: NewItem): Promise<Item> {
    return openIssue(this.#at(where), fields);
  }

  comment(where: Where, number: number, body: string): Comment {
    return addComment(this.#at(where), this.#item(where, number), body);
  }

  editComment(where: Where, id: number, body: string): void {
    editComment(this.#at(where), this.#comment(where, id), body);
  }

  deleteComment(where: Where, id: number): void {
    deleteComment(this.#at(where), this.#comment(where, id));
  }

  edit(where: Where, number: number, fields: { title?: string; body?: string }): Promise<void> {
    return editItem(this.#at(where), this.#item(where, number), fields);
  }

  changeBase(where: Where, number: number, base: string): Promise<void> {
    return changeBase(this.#at(where), this.#pull(where, number), base);
  }

  close(where: Where, number: number): Promise<void> {
    return closeItem(this.#at(where), this.#item(where, number));
  }

  reopen(where: Where, number: number): Promise<void> {
    return reopenItem(this.#at(where), this.#item(where, number));
  }

  /** Merges a pull request. Resolves with the commit's id. */
  async merge(where: Where, number: number, options: MergeOptions = {}): Promise<string> {
    const scene = this.#at(where);
    const commit = await mergePull(scene, this.#pull(where, number), options);
    await settleHeads(scene);
    return commit;
  }

  label(where: Where, number: number, ...names: string[]): Promise<void> {
    return addLabels(this.#at(where), this.#item(where, number), names);
  }

  unlabel(where: Where, number: number, name: string): Promise<void> {
    return removeLabel(this.#at(where), this.#item(where, number), name);
  }

  /** Makes the assignees exactly these. */
  assign(where: Where, number: number, ...logins: string[]): Promise<void> {
    const accounts = logins.map((login) => this.#world.account(login));
    return setAssignees(this.#at(where), this.#item(where, number), accounts);
  }

  requestReview(where: Where, number: number, ...logins: string[]): Promise<void> {
    return requestReviewers(this.#at(where), this.#pull(where, number), logins);
  }

  setDraft(where: Where, number: number, draft: boolean): Promise<void> {
    return setDraft(this.#at(where), this.#pull(where, number), draft);
  }

  lock(where: Where, number: number, reason?: string): Promise<void> {
    return lockItem(this.#at(where), this.#item(where, number), { locked: true, ...(reason === undefined ? {} : { reason }) });
  }

  unlock(where: Where, number: number): Promise<void> {
    return lockItem(this.#at(where), this.#item(where, number), { locked: false });
  }

  /** Makes a review; submitted as a comment unless `event` says otherwise. */
  review(where: Where, number: number, fields: NewReview = {}): Promise<Review> {
    return createReview(this.#at(where), this.#pull(where, number), { event: 'COMMENT', ...fields });
  }

  dismissReview(where: Where, id: number): void {
    const scene = this.#at(where);
    const review = scene.repo.reviews.get(id);
    if (!review) throw new Error(`there is no review ${id} in ${scene.repo.fullName}`);
    dismissReview(scene, this.#pull(where, review.number), review);
  }

  /** Starts a thread on a line or a file. */
  reviewComment(where: Where, number: number, fields: Target & { body: string; commit?: string }): Promise<ReviewComment> {
    return createReviewComment(this.#at(where), this.#pull(where, number), fields);
  }

  /** Answers in the thread that a review comment stands in. */
  replyInThread(where: Where, commentId: number, body: string): ReviewComment {
    const scene = this.#at(where);
    const comment = this.#reviewComment(where, commentId);
    return replyToThread(scene, this.#pull(where, comment.number), { root: rootOf(scene, comment), body });
  }

  editReviewComment(where: Where, commentId: number, body: string): void {
    editReviewComment(this.#at(where), this.#reviewComment(where, commentId), body);
  }

  deleteReviewComment(where: Where, commentId: number): void {
    deleteReviewComment(this.#at(where), this.#reviewComment(where, commentId));
  }

  /** Marks the thread of a review comment as settled, or open again. */
  resolveThread(where: Where, commentId: number, resolved = true): void {
    const scene = this.#at(where);
    const thread = scene.repo.threads.get(this.#reviewComment(where, commentId).threadId);
    if (thread) resolveThread(scene, thread, resolved);
  }

  /** Reacts to an item, a comment or a review comment. */
  react(where: Where, target: Reactable, content: string): Reaction {
    return addReaction(this.#at(where), target, content).reaction;
  }

  /** Presses "Re-run" on a check run, or the button with this identifier. */
  pressCheck(where: Where, run: CheckRun, identifier?: string): void {
    pressCheck(this.#at(where), run, identifier);
  }

  /** Lets the repository's own CI run. */
  runWorkflow(where: Where, fields: NewWorkflowRun): WorkflowRun {
    return addWorkflowRun(this.#at(where), fields);
  }

  /** Lets a CI run that was under way end. */
  endWorkflow(where: Where, run: WorkflowRun, conclusion: string): void {
    completeWorkflowRun(this.#at(where), run, conclusion);
  }

  #at(where: Where): Scene {
    const repo = typeof where === 'string' ? this.#world.repository(where) : where;
    if (!repo) throw new Error(`there is no repository ${String(where)}`);
    return { world: this.#world, repo, by: this.account };
  }

  #item(where: Where, number: number): Item {
    const { repo } = this.#at(where);
    const item = repo.items.get(number);
    if (!item) throw new Error(`there is no issue or pull request ${number} in ${repo.fullName}`);
    return item;
  }

  #pull(where: Where, number: number): PullItem {
    const item = this.#item(where, number);
    if (!isPull(item)) throw new Error(`${number} is an issue, not a pull request`);
    return item;
  }

  #comment(where: Where, id: number): Comment {
    const found = this.#at(where).repo.comments.get(id);
    if (!found) throw new Error(`there is no comment ${id}`);
    return found;
  }

  #reviewComment(where: Where, id: number): ReviewComment {
    const found = this.#at(where).repo.reviewComments.get(id);
    if (!found) throw new Error(`there is no review comment ${id}`);
    return found;
  }
}
