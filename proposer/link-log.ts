import type { Logger } from 'pino';
import type { AcceptorPoolOptions } from '../src/redis/acceptor-pool.js';
import { REPLICATED } from '../src/redis/cluster-layout.js';
import { STATUS } from './way-out.js';

const REPLACE = `${STATUS} says how to replace it`;
const STRANGER = `this acceptor lost its data or is another one, and is not used; ${REPLACE}`;

/** Writes down what becomes of the connections to acceptors. */
export function linkLog(log: Logger): NonNullable<AcceptorPoolOptions['onLink']> {
  return (event, acceptor, identity, remark = '') => {
    if (event === 'no answer') log.warn({ acceptor }, 'acceptor does not answer');
    else if (event === 'unreachable') log.warn({ acceptor }, 'acceptor went away');
    else if (event === 'loading') log.warn({ acceptor }, 'acceptor still reads its file, and is used once it has read all of it');
    else if (event === 'stranger' && remark !== '') log.error({ acceptor, identity }, `this acceptor is not used: ${remark}; ${REPLACE}`);
    else if (event === 'stranger') log.error({ acceptor, identity }, STRANGER);
    else if (event === 'replicated') log.error({ acceptor, identity }, REPLICATED);
    else if (event === 'unfit') log.error({ acceptor }, `this acceptor is not used: ${remark}`);
    else if (event === 'in trouble') log.warn({ acceptor }, `acceptor does not do what it is told: ${remark}`);
    else if (event === 'out of trouble') log.info({ acceptor }, 'acceptor does what it is told again');
    else if (remark !== '') log.warn({ acceptor }, `acceptor ${event}: ${remark}`);
    else log.info({ acceptor }, `acceptor ${event}`);
  };
}
