// A real Redis for tests of queues.
export { hasRedis, RedisServer } from './redis-server.ts';
