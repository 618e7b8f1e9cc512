import { ok } from '../answer.ts';
import type { Delivery } from '../hooks.ts';
import { notFound } from '../refusal.ts';
import { type Answer, type Call, type Route, route } from '../route.ts';
import { isoTime, type Json } from '../shape/account.ts';

const asApp = { audience: 'app' } as const;

/** Webhook deliveries as the app can list and repeat them, and where they go. */
export function deliveryRoutes(): Route[] {
  return [
    route('GET /app/hook/deliveries', asApp, listDeliveries),
    route('GET /app/hook/deliveries/{delivery_id}', asApp, (call) => ok(fullJson(requireDelivery(call)))),
    route('POST /app/hook/deliveries/{delivery_id}/attempts', asApp, (call) => {
      call.world.hooks.redeliver(requireDelivery(call).id);
      return { status: 202, body: {} };
    }),
    route('GET /app/hook/config', asApp, answerConfig),
    route('PATCH /app/hook/config', asApp, (call) => {
      const target = call.body.text('url');
      if (target !== undefined) call.world.hooks.target = target;
      return answerConfig(call);
    }),
  ];
}

function answerConfig({ world }: Call): Answer {
  return ok({ content_type: 'json', insecure_ssl: '0', secret: '********', url: world.hooks.target ?? '' });
}

function requireDelivery(call: Call): Delivery {
  const found = call.world.hooks.deliveries.find((delivery) => delivery.id === Number(call.params.delivery_id));
  if (!found) throw notFound();
  return found;
}

/** Newest first, with a cursor in place of page numbers. */
function listDeliveries(call: Call): Answer {
  const { query, world } = call;
  const size = Math.min(Math.max(1, Number(query.get('per_page')) || 30), 100);
  const before = Number(/^v1_(\d+)$/.exec(query.get('cursor') ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
  const status = query.get('status');
  const rows = world.hooks.deliveries
    .filter((delivery) => delivery.id < before && (!status || (status === 'success') === isDelivered(delivery)))
    .sort((a, b) => b.id - a.id);
  const shown = rows.slice(0, size);
  const next = new URL(call.url);
  next.searchParams.set('cursor', `v1_${shown.at(-1)?.id}`);
  return ok(shown.map(rowJson), rows.length > size ? { link: `<${next}>; rel="next"` } : {});
}

function isDelivered({ answer }: Delivery): boolean {
  return answer !== null && answer.status >= 200 && answer.status < 300;
}

function rowJson(delivery: Delivery): Json {
  const { answer } = delivery;
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: isoTime(answer?.at ?? delivery.createdAt),
    redelivery: delivery.redelivery,
    duration: (answer?.ms ?? 0) / 1000,
    status: isDelivered(delivery) ? 'OK' : (answer?.error ?? (answer ? `Invalid HTTP Response: ${answer.status}` : 'pending')),
    status_code: answer?.status || 502,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

function fullJson(delivery: Delivery): Json {
  return {
    ...rowJson(delivery),
    url: delivery.url,
    request: { headers: delivery.headers, payload: delivery.payload },
    response: { headers: {}, payload: delivery.answer?.body ?? '' },
  };
}
