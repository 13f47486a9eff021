import type { Redis } from 'ioredis';

const LOADING_FIELD = /^loading:1\r?$/m;

/**
 * Tells of each answer in which a server says that it still reads its file. To commands it then answers LOADING. ioredis asks it again and again by
 * INFO until that is over, sends nothing else meanwhile, and tells nobody.
 */
export function onLoading(redis: Redis, tell: () => void): void {
  const ask = redis.info.bind(redis) as (...given: unknown[]) => Promise<unknown>;
  const info = (...given: unknown[]): Promise<unknown> => {
    const answer = ask(...given);
    const look = (text: unknown): void => {
      if (redis.status === 'connect' && LOADING_FIELD.test(String(text))) tell();
    };
    answer.then(look, () => undefined);
    return answer;
  };
  Object.assign(redis, { info });
}
