/** A directed graph over step ids. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** Builds the graph of edges between known steps; entries are left out. */
export function graphOf(steps: readonly string[], edges: readonly { from: string; to: string }[]): Graph {
  const graph = new Map<string, string[]>(steps.map((id) => [id, []]));
  for (const { from, to } of edges) if (graph.has(to)) graph.get(from)?.push(to);
  return graph;
}

/** Every cycle that a walk comes upon, as the ids along it, the first again at the end. Walks without recursion, so any length will do. */
export function findCycles(graph: Graph): string[][] {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[][] = [];
  for (const start of graph.keys()) {
    const trail: { id: string; next: number }[] = state.has(start) ? [] : [{ id: start, next: 0 }];
    while (trail.length > 0) {
      const top = trail[trail.length - 1];
      if (!top) break;
      state.set(top.id, 'open');
      const target = graph.get(top.id)?.[top.next++];
      if (target === undefined) {
        state.set(top.id, 'done');
        trail.pop();
      } else if (!state.has(target)) {
        trail.push({ id: target, next: 0 });
      } else if (state.get(target) === 'open') {
        const from = trail.findIndex(({ id }) => id === target);
        cycles.push([...trail.slice(from).map(({ id }) => id), target]);
      }
    }
  }
  return cycles;
}

/** All that can be reached from the starts, the starts included. */
export function reachable(graph: Graph, starts: Iterable<string>): Set<string> {
  const seen = new Set<string>();
  const open = [...starts];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(graph.get(id) ?? []));
  }
  return seen;
}

/** The same graph with every edge turned round: what lies before a step. */
export function reversed(graph: Graph): Graph {
  const back = new Map<string, string[]>([...graph.keys()].map((id) => [id, []]));
  for (const [from, targets] of graph) for (const to of targets) back.get(to)?.push(from);
  return back;
}
