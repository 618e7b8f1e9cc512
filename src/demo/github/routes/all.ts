import type { Route } from '../route.ts';
import { actionRoutes } from './action.ts';
import { appRoutes } from './app.ts';
import { checkRoutes } from './check.ts';
import { commentRoutes } from './comment.ts';
import { commitRoutes } from './commit.ts';
import { contentRoutes } from './content.ts';
import { deliveryRoutes } from './delivery.ts';
import { graphqlRoutes } from './graphql.ts';
import { itemRoutes } from './item.ts';
import { objectRoutes } from './object.ts';
import { pullRoutes } from './pull.ts';
import { repositoryRoutes } from './repository.ts';
import { reviewRoutes } from './review.ts';
import { searchRoutes } from './search.ts';

/** Every route of the double except git. */
export function allRoutes(): Route[] {
  return [
    ...appRoutes(),
    ...deliveryRoutes(),
    ...repositoryRoutes(),
    ...contentRoutes(),
    ...objectRoutes(),
    ...commitRoutes(),
    ...itemRoutes(),
    ...commentRoutes(),
    ...pullRoutes(),
    ...reviewRoutes(),
    ...checkRoutes(),
    ...actionRoutes(),
    ...searchRoutes(),
    ...graphqlRoutes(),
  ];
}
