const INSTRUCTION = `People ask you about this pull request, one comment at a time. Let **Code Reviewer** (\`code-reviewer\`) look up what you do not know, then answer in a
few sentences with \`task_completed\`. Before the first question, say in one sentence what the pull request is about.`;

/** A workflow that only talks: it stays open for comments until somebody says \`/done\`. */
const QUESTIONS = {
  version: '1.0.0',
  name: 'Questions',
  triggers: [{ event: 'manual', slashCommand: { command: 'ask', requireMention: false } }],
  steps: [
    {
      id: 'talk',
      name: 'Talk',
      action: 'agent.session',
      params: {
        goal: 'Every question about the pull request is answered',
        agentIds: ['code-reviewer'],
        exitCriteria: { timeLimit: { maxDurationMinutes: 45 }, userSignals: { explicit: ['/done'] } },
        listenToComments: true,
        keepSessionOpenForComments: true,
      },
      instruction: INSTRUCTION,
    },
  ],
  flow: [{ from: '', to: 'talk', condition: null }],
};

/** The files of a second workflow, for follow-up questions. */
export function questionFiles(): Record<string, string> {
  return { '.overcut/workflows/questions.json': `${JSON.stringify(QUESTIONS, null, 2)}\n` };
}
