import type { Configuration } from '../protocol/configuration.js';
import type { QuorumSet } from '../protocol/quorum.js';
import { BadRequest } from './errors.js';

/** Checks what came over the wire or from disk. Throws {@link BadRequest} naming what is wrong. */
export function parseConfiguration(input: unknown): Configuration {
  const { era, prepare, accept, identities, resting, forced } = parseObject(input, 'a configuration');
  return {
    era: parseEra(era, 'era'),
    prepare: parseSet(prepare, 'prepare'),
    accept: parseSet(accept, 'accept'),
    ...(identities === undefined ? {} : { identities: parseIdentities(identities) }),
    ...(resting === undefined ? {} : { resting: parseList(resting, 'resting', (set, index) => parseSet(set, `resting[${index}]`)) }),
    ...(forced === undefined ? {} : { forced: parseList(forced, 'forced', parseText) }),
  };
}

/** An era: an integer from 0 to 2^53 - 1. Throws {@link BadRequest} with the field's name for anything else. */
export function parseEra(input: unknown, field: string): number {
  if (!Number.isSafeInteger(input) || Number(input) < 0) throw new BadRequest(`${field} must be an integer from 0 to 2^53 - 1`);
  return Number(input);
}

function parseSet(input: unknown, field: string): QuorumSet {
  const { nodes, quorum } = parseObject(input, field);
  if (!Array.isArray(nodes) || !nodes.every((node): node is string => typeof node === 'string' && node !== '')) {
    throw new BadRequest(`${field}.nodes must be a list of acceptor names`);
  }
  if (new Set(nodes).size !== nodes.length) throw new BadRequest(`${field}.nodes lists an acceptor twice`);
  const smallest = nodes.length === 0 ? 0 : 1;
  if (!Number.isSafeInteger(quorum) || Number(quorum) < smallest || Number(quorum) > nodes.length) {
    throw new BadRequest(`${field}.quorum must be an integer from ${smallest} to ${nodes.length}, the size of the set`);
  }
  return { nodes, quorum: Number(quorum) };
}

function parseIdentities(input: unknown): Record<string, string> {
  const entries = Object.entries(parseObject(input, 'identities'));
  return Object.fromEntries(entries.map(([name, identity]) => [name, parseText(identity)]));
}

function parseList<Item>(input: unknown, field: string, parse: (item: unknown, index: number) => Item): Item[] {
  if (!Array.isArray(input)) throw new BadRequest(`${field} must be a list`);
  return input.map(parse);
}

function parseText(input: unknown): string {
  if (typeof input !== 'string' || input === '') throw new BadRequest('identities and forced hold texts that are not empty');
  return input;
}

function parseObject(input: unknown, field: string): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new BadRequest(`${field} must be a JSON object`);
  return { ...input };
}
