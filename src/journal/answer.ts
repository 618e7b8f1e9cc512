/** What a model wrote: text, or a tool it wants used. `thinking` blocks are kept verbatim because the API wants them back. */
export type Block =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string };

/** Tokens of one call, as the provider counted them. */
export interface Usage {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** One answer of a model. */
export interface Answer {
  content: Block[];
  stop: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal' | 'other';
  usage: Usage;
  /** The model id that answered. */
  model: string;
}

/** What a tool answered, for the model. */
export interface ToolResult {
  text: string;
  error?: boolean;
}

/** A message of a conversation with a model. */
export type Message =
  | { role: 'user'; text: string[] }
  | { role: 'assistant'; content: Block[] }
  | { role: 'results'; results: { id: string; text: string; error: boolean }[]; text: string[] };
