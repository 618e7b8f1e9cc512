import { checkCondition } from './check-condition.ts';
import { findCycles, type Graph, graphOf, reachable } from './graph.ts';
import { nearest } from './nearest.ts';
import { at, itemsOf, type Place, textAt } from './place.ts';
import type { Path, Remark } from './problem.ts';

interface EdgePlace {
  from: string;
  to: string;
  place: Place;
}

/** The ids of steps, and the graph of the flow as far as it can be read (the order of the array, where there is no flow). */
export interface FlowSketch {
  ids: string[];
  edges: EdgePlace[];
  graph: Graph;
}

/** Reads what can be read of the steps' order, whatever else is wrong. */
export function sketchFlow(steps: Place, flow: Place): FlowSketch {
  const ids = [...new Set(itemsOf(steps).flatMap((step) => textAt(at(step, 'id')) ?? []))];
  const edges = itemsOf(flow).flatMap((place): EdgePlace[] => {
    const to = textAt(at(place, 'to'));
    return to === null ? [] : [{ from: textAt(at(place, 'from')) ?? '', to, place }];
  });
  const chain = ids.slice(1).map((to, index) => ({ from: ids[index] ?? '', to }));
  return { ids, edges, graph: graphOf(ids, itemsOf(flow).length === 0 ? chain : edges) };
}

/** Checks the order of the steps: each id once, known ids only, no cycle, nothing that is never reached. */
export function checkFlow(steps: Place, flow: Place): Remark[] {
  const sketch = sketchFlow(steps, flow);
  if (itemsOf(flow).length === 0) return [...repeatedIds(steps), ...withoutFlow(flow, sketch.ids)];
  const cycles = findCycles(sketch.graph);
  return [
    ...repeatedIds(steps),
    ...sketch.edges.flatMap((edge) => checkEdge(edge, sketch.ids)),
    ...repeatedEdges(sketch.edges),
    ...cycles.map((cycle) => cycleRemark(cycle, sketch.edges, flow.path)),
    ...unreachable(steps, sketch, cycles.flat()),
  ];
}

function repeatedIds(steps: Place): Remark[] {
  const seen = new Map<string, number>();
  return itemsOf(steps).flatMap((step, index): Remark[] => {
    const id = textAt(at(step, 'id'));
    if (id === null) return [];
    const first = seen.get(id);
    if (first === undefined) {
      seen.set(id, index);
      return [];
    }
    return [
      {
        severity: 'error',
        path: at(step, 'id').path,
        expected: 'an id of its own for each step',
        found: `${JSON.stringify(id)} again`,
        hint: `steps[${first}] has it already`,
      },
    ];
  });
}

function withoutFlow(flow: Place, ids: string[]): Remark[] {
  if (ids.length === 0 || (flow.value !== undefined && flow.value !== null && !Array.isArray(flow.value))) return [];
  const order = ids.slice(0, 8).join(' -> ');
  return [
    {
      severity: 'warning',
      path: flow.path,
      expected: 'edges that say in which order the steps run',
      found: 'none',
      hint: `the order of the array is taken: ${order}`,
    },
  ];
}

function checkEdge({ from, to, place }: EdgePlace, ids: string[]): Remark[] {
  const ends = [from === '' ? null : { id: from, end: at(place, 'from') }, { id: to, end: at(place, 'to') }];
  const unknown = ends.flatMap((entry): Remark[] => {
    if (!entry || entry.id === '' || ids.length === 0 || ids.includes(entry.id)) return [];
    const near = nearest(entry.id, ids);
    const expected = `the id of a step (${ids.slice(0, 12).join(', ')})`;
    return [{ severity: 'error', path: entry.end.path, expected, ...(near ? { hint: `did you mean ${JSON.stringify(near)}?` } : {}) }];
  });
  return [...unknown, ...checkCondition(at(place, 'condition'), ids)];
}

function repeatedEdges(edges: EdgePlace[]): Remark[] {
  const seen = new Set<string>();
  return edges.flatMap(({ from, to, place }): Remark[] => {
    const key = JSON.stringify([from, to, at(place, 'condition').value ?? null]);
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      {
        severity: 'warning',
        path: place.path,
        expected: 'each edge once',
        found: `${JSON.stringify(from)} -> ${JSON.stringify(to)} again`,
      },
    ];
  });
}

function cycleRemark(cycle: string[], edges: EdgePlace[], flow: Path): Remark {
  const [from, to] = [cycle.at(-2), cycle.at(-1)];
  const edge = edges.find((candidate) => candidate.from === from && candidate.to === to);
  return {
    severity: 'error',
    path: edge ? edge.place.path : flow,
    expected: 'steps that never lead back to themselves',
    found: `the cycle ${cycle.join(' -> ')}`,
    hint: 'take one of these edges away',
  };
}

function unreachable(steps: Place, { ids, edges, graph }: FlowSketch, inCycles: string[]): Remark[] {
  const entries = edges.filter(({ from }) => from === '').map(({ to }) => to);
  const targets = new Set(edges.map(({ to }) => to));
  const starts = entries.length > 0 ? entries : ids.filter((id) => !targets.has(id));
  const seen = reachable(graph, [...starts, ...inCycles]);
  return itemsOf(steps).flatMap((step): Remark[] => {
    const id = textAt(at(step, 'id'));
    if (id === null || seen.has(id)) return [];
    const hint = `add an edge to ${JSON.stringify(id)}, or { "from": "", "to": ${JSON.stringify(id)} } to begin with it`;
    return [
      {
        severity: 'error',
        path: at(step, 'id').path,
        expected: 'a step that the flow reaches',
        found: `the unreachable step ${JSON.stringify(id)}`,
        hint,
      },
    ];
  });
}
