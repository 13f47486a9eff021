import { expect, it } from 'vitest';
import { settingsFrom } from '../../../node-control/nodes/settings.js';

it('names the variable that is wrong, and what it should be: proposers have no port here, as the clients have it', () => {
  expect(() => settingsFrom({ PROPOSERS: 'proposer-1:8080,proposer-2:8080' })).toThrow(
    'PROPOSERS: proposers are named without a port here: "proposer-1", not "proposer-1:8080".',
  );
  expect(() => settingsFrom({ PROPOSERS: 'proposer-1,proposer-1' })).toThrow('PROPOSERS: It must be names');
  expect(settingsFrom({}).proposers).toEqual(['proposer-1', 'proposer-2']);
});

it('takes no name that is no address: every later word about it would be too late', () => {
  expect(() => settingsFrom({ ACCEPTORS: 'acceptor-1:6379,acceptor-2' })).toThrow('ACCEPTORS: not an address, host:port: "acceptor-2"');
  expect(() => settingsFrom({ ACCEPTORS: 'a:b' })).toThrow('ACCEPTORS: not an address, host:port: "a:b"');
  expect(() => settingsFrom({ PROPOSERS: 'proposer 1' })).toThrow('PROPOSERS: not an address, host:port: "proposer 1:8090"');
});
