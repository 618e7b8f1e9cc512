import type { ContentBlock, MessageParam } from '../../../src/demo/model/messages.ts';
import { parsePatch } from '../../../src/demo/model/patch.ts';
import type { ScriptedModel } from '../../../src/demo/model/scripted-model.ts';
import { ask, assemble, post, tool } from './client.ts';

export interface Thread {
  path: string;
  line?: number;
  side?: string;
  body: string;
}

const AGENT_TOOLS = [
  'get_pull_request_diff',
  'get_pull_request_diff_line_numbers',
  'add_pull_request_review_thread',
  'submit_review',
  'read_file',
  'code_search',
];
const PADS = ['read_scratchpad', 'write_scratchpad', 'append_scratchpad', 'list_scratchpads'];
const STEP = ['update_status', 'task_completed'];

/** A stand-in for the server: a workflow's prompts and tools in memory, one conversation after the other, the model asked over HTTP. */
export class House {
  readonly pads = new Map<string, string>();
  readonly threads: Thread[] = [];
  readonly reviews: { event: string; body: string }[] = [];
  readonly statuses: string[] = [];
  readonly delegations: { agentId: string; instructions: string; turn: number }[] = [];
  readonly model: ScriptedModel;
  readonly diff: string;
  pageSize = 0;
  /** Called before a delegation is played; what it throws is the tool's error. */
  onDelegation: (instructions: string) => void = () => {};

  constructor(model: ScriptedModel, diff: string) {
    this.model = model;
    this.diff = diff;
  }

  agentRun(instruction: string): Promise<string> {
    return this.talk(`Event: a pull request was opened.\n\n${instruction}`, [...AGENT_TOOLS, ...PADS, ...STEP]);
  }

  session(instruction: string): Promise<string> {
    return this.talk(`Event: a pull request was opened.\n\n${instruction}`, ['delegate_to_sub_agent', ...PADS, ...STEP]);
  }

  async talk(text: string, tools: string[]): Promise<string> {
    const messages: MessageParam[] = [{ role: 'user', content: text }];
    for (let turn = 0; turn < 60; turn++) {
      const schemas = tools.map((name) => tool(name, name === 'delegate_to_sub_agent' ? { agentId: {}, label: {} } : {}));
      const response = await post(this.model, ask(messages, { tools: schemas, stream: true, system: 'You are an agent.' }));
      if (response.status !== 200) throw new Error(await response.text());
      const answer = assemble(await response.text());
      messages.push({ role: 'assistant', content: answer.content });
      const uses = answer.content.filter((block) => block.type === 'tool_use');
      const completed = uses.find((use) => use.name === 'task_completed');
      if (completed) return String((completed.input as { message: string }).message);
      if (uses.length === 0) return answer.content.map((block) => String(block.text ?? '')).join('\n');
      const results: ContentBlock[] = await Promise.all(uses.map((use) => this.use(use, tools, turn)));
      messages.push({ role: 'user', content: results });
    }
    throw new Error('the conversation did not end');
  }

  async use(use: ContentBlock, tools: string[], turn: number): Promise<ContentBlock> {
    const result = { type: 'tool_result', tool_use_id: use.id };
    try {
      if (!tools.includes(String(use.name))) throw new Error(`not offered: ${use.name}`);
      return {
        ...result,
        content: [{ type: 'text', text: (await this.run(String(use.name), use.input as Record<string, string>, turn)) || 'ok' }],
      };
    } catch (error) {
      return { ...result, is_error: true, content: (error as Error).message };
    }
  }

  async run(name: string, input: Record<string, string>, turn: number): Promise<string> {
    if (name === 'update_status') return String(this.statuses.push(String(input.message)));
    if (name === 'get_pull_request_diff') return this.page(Number(input.page ?? 1));
    if (name === 'get_pull_request_diff_line_numbers') return JSON.stringify(this.rows(String(input.path)));
    if (name === 'add_pull_request_review_thread')
      return JSON.stringify({ threadId: `PRRT_${this.threads.push(input as unknown as Thread)}`, placed: 'line' });
    if (name === 'submit_review') return String(this.reviews.push(input as unknown as { event: string; body: string }));
    if (name === 'read_scratchpad') return this.pads.get(String(input.name)) ?? fail(`no scratchpad ${input.name}`);
    if (name === 'write_scratchpad') return String(this.pads.set(String(input.name), String(input.content)).size);
    if (name === 'append_scratchpad')
      return String(this.pads.set(String(input.name), (this.pads.get(String(input.name)) ?? '') + input.content).size);
    if (name === 'list_scratchpads') return [...this.pads.keys()].join('\n');
    if (name !== 'delegate_to_sub_agent') return fail(`no tool ${name}`);
    const { agentId = '', instructions = '' } = input;
    this.delegations.push({ agentId, instructions, turn });
    this.onDelegation(instructions);
    return this.talk(`Repository acme/app, pull request 1.\n\n${instructions}`, [...AGENT_TOOLS, ...PADS]);
  }

  page(page: number): string {
    if (!this.pageSize) return this.diff;
    const lines = this.diff.split('\n');
    const rest = page * this.pageSize < lines.length ? `\nnext page: ${page + 1}` : '';
    return lines.slice((page - 1) * this.pageSize, page * this.pageSize).join('\n') + rest;
  }

  rows(path: string): { side: string; line: number; text: string }[] {
    const file = parsePatch(this.diff).find((other) => other.path === path);
    return (file?.lines ?? []).map(({ kind, text, old, new: fresh }) => ({
      side: kind === '-' ? 'LEFT' : 'RIGHT',
      line: (kind === '-' ? old : fresh) ?? 0,
      text,
    }));
  }
}

function fail(message: string): never {
  throw new Error(message);
}
