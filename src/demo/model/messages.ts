/** The parts of the Anthropic Messages API that the scripted model reads and writes (source: the API's public reference). */
export interface MessagesRequest {
  model: string;
  max_tokens: number;
  messages: MessageParam[];
  system?: string | ContentBlock[];
  tools?: ToolParam[];
  stream?: boolean;
  cache_control?: unknown;
}

export interface MessageParam {
  role: 'user' | 'assistant';
  content: string | ContentBlock[];
}

/** A content block; which fields it has follows from `type`. */
export interface ContentBlock {
  type: string;
  cache_control?: unknown;
  [field: string]: unknown;
}

export interface ToolParam {
  name: string;
  type?: string;
  description?: string;
  input_schema?: { type?: string; properties?: Record<string, unknown>; [field: string]: unknown };
  cache_control?: unknown;
}

/** Token figures of one answer, as the API reports them. */
export interface ModelUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
}

/** A whole answer. */
export interface MessageAnswer {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: ContentBlock[];
  stop_reason: string;
  stop_sequence: null;
  usage: ModelUsage;
}

/** An answer with a status over 399; `type` is the API's name for the kind. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly type: string;
  readonly headers: Record<string, string>;

  constructor(status: number, type: string, problem: { message: string; headers?: Record<string, string> }) {
    super(problem.message);
    this.status = status;
    this.type = type;
    this.headers = problem.headers ?? {};
  }
}

/** A request that the API refuses with 400. */
export function refuseRequest(message: string): ApiError {
  return new ApiError(400, 'invalid_request_error', { message });
}
