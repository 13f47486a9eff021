import { NAMED_SCENARIOS, type ScenarioName } from './scenario-names.js';
import { FAULTS, type Overrides } from './settings.js';

/** A run of the simulation that can be looked at, but for its seed: what tells it from others, and the key to look at. */
export interface Simulated extends Overrides {
  readonly scenario: ScenarioName;
  readonly key?: string;
}

/** Names and values, in the order in which an address has them. */
export type AddressParts = readonly (readonly [name: string, value: string])[];

const SEED_MAX = 2 ** 32 - 1;

/** What stands behind the `#` of an address of the playground. */
export function addressText(parts: AddressParts): string {
  return parts.map(([name, value]) => `${name}=${encodeURIComponent(value.replaceAll(' ', '_'))}`).join('&');
}

/** Reads that. Throws a `TypeError` for what no address has in it. */
export function addressParts(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('&').map((part) => {
      const [name = '', value = ''] = part.split(/=(.*)/);
      return [name, decoded(value).replaceAll('_', ' ')];
    }),
  );
}

/** Of the run of a seed. */
export function simulatedParts(seed: number, { scenario, operations, stopAfter, without = [], key }: Simulated): AddressParts {
  const parts: [name: string, value: string | number | undefined][] = [
    ['simulate', scenario],
    ['seed', seed],
    ['operations', operations],
    ['stop-after', stopAfter],
    ['without', without.length > 0 ? without.join('.') : undefined],
    ['key', key],
  ];
  return parts.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]));
}

/** The run that an address names, if it is one of the simulation. Throws a `TypeError` for what the simulation does not know. */
export function simulatedIn(parts: ReadonlyMap<string, string>): Simulated | undefined {
  const scenario = parts.get('simulate');
  if (scenario === undefined) return undefined;
  const [operations, stopAfter] = ['operations', 'stop-after'].map((name) => numberIn(parts.get(name), undefined));
  const [without, key] = [
    parts
      .get('without')
      ?.split('.')
      .map((fault) => known(FAULTS, fault, 'fault')),
    parts.get('key'),
  ];
  return {
    scenario: known(NAMED_SCENARIOS, scenario, 'scenario'),
    ...(operations !== undefined && { operations }),
    ...(stopAfter !== undefined && { stopAfter }),
    ...(without && { without }),
    ...(key !== undefined && { key }),
  };
}

export function numberIn<Other>(text: string | undefined, otherwise: Other): number | Other {
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text) || Number(text) > SEED_MAX) throw new TypeError(`not a number: ${text}`);
  return Number(text);
}

function known<Name extends string>(names: readonly Name[], text: string, what: string): Name {
  const name = names.find((each) => each === text);
  if (name === undefined) throw new TypeError(`there is no ${what} ${text}`);
  return name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError(`not a part of an address: ${text}`);
  }
}
