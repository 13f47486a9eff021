/** Acceptors on Redis servers and Redis Clusters: docs/acceptors.md says which servers will do. */
export { addressesFrom } from '../node/addresses.js';
export { AcceptorPool, type AcceptorPoolOptions, type LinkEvent, redisAcceptors } from './acceptor-pool.js';
export { RedisAcceptor, type RedisAcceptorOptions } from './redis-acceptor.js';
export { RedisClusterAcceptor } from './redis-cluster.js';
export type { RedisAccess } from './redis-connection.js';
