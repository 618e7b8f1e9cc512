const SENTENCES: Record<string, string> = {
  'issue_comment.created': 'A new comment.',
  'issue_comment.deleted': 'A comment was deleted.',
  'pull_request.opened': 'A pull request was opened.',
  'pull_request.synchronize': 'New commits were pushed.',
  'pull_request.edited': 'The pull request was edited.',
  'pull_request.closed': 'The pull request was closed.',
  'pull_request.reopened': 'The pull request was opened again.',
  'pull_request_review.submitted': 'A review was submitted.',
  'pull_request_review.edited': 'A review has changed.',
  'pull_request_review.dismissed': 'A review was dismissed.',
  'pull_request_review_comment.created': 'New words in a thread.',
  'pull_request_review_comment.edited': 'Words in a thread have changed.',
  'pull_request_review_comment.deleted': 'Words in a thread were deleted.',
  'check_run.created': 'A check has begun.',
  'check_run.rerequested': 'The app was told to run the check again.',
  'check_run.requested_action': 'The app was told of the button.',
  'check_run.completed': 'A check has ended.',
};

/** What people are told of a change, in a sentence; empty where looking is enough. */
export function sentenceFor(kind: string): string {
  return SENTENCES[kind] ?? '';
}
