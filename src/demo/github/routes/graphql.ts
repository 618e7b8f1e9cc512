import { ok } from '../answer.ts';
import { isRecord } from '../fields.ts';
import { executeRequest } from '../graphql/execute.ts';
import { GraphRefusal } from '../graphql/problem.ts';
import { makeSchema } from '../graphql/query.ts';
import { forbidden, Refusal } from '../refusal.ts';
import { type Answer, type Call, type Route, route } from '../route.ts';

/** GraphQL, at the address of an Enterprise Server and beside REST. */
export function graphqlRoutes(): Route[] {
  const schema = makeSchema();
  return [
    route('POST /graphql', { audience: 'anybody' }, async (call: Call): Promise<Answer> => {
      if (call.caller.kind === 'anonymous') throw new Refusal(401, 'This endpoint requires you to be authenticated.');
      if (call.caller.kind === 'app') throw forbidden();
      const variables = call.body.raw('variables');
      const request = {
        query: call.body.text('query') ?? '',
        variables: isRecord(variables) ? variables : {},
        operationName: call.body.text('operationName') ?? null,
      };
      return ok(await executeRequest(schema, request, { context: call, explain }));
    }),
  ];
}

/** What the acts refuse in REST's words becomes one sentence. */
function explain(error: unknown): GraphRefusal {
  if (error instanceof GraphRefusal) return error;
  if (!(error instanceof Refusal)) throw error;
  const sentences = (error.errors ?? []).map((one) =>
    typeof one === 'string' ? one : (one.message ?? `${one.field ?? one.resource} is ${one.code}`),
  );
  return new GraphRefusal(error.status === 403 ? 'FORBIDDEN' : 'UNPROCESSABLE', sentences.join(', ') || error.message);
}
