import { MemoryAcceptor } from '../../src/memory-acceptor.js';
import { describeAcceptor } from './acceptor-conformance.js';

const acceptor = new MemoryAcceptor();
describeAcceptor('the in-memory acceptor', () => acceptor);
