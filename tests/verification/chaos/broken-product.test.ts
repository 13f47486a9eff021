import { describe, expect, it } from 'vitest';
import type { Memory } from '../../../src/protocol/memory-acceptor.js';
import type { OperationOptions } from '../../../src/store/options.js';
import { Store } from '../../../src/store/store.js';
import type { Versioned } from '../../../src/store/versioned.js';
import { DELETED, type Write } from '../../../src/store/write.js';
import { rulesBrokenBy } from './small-product.js';

/** What a write does, without its name and its condition. */
const deed = (write: Write): Write => ('change' in write ? { change: write.change } : { val: write.val });
const EVERY = 5;

class ForgetsNames extends Store {
  override write(key: string, write: Write, options?: OperationOptions): Promise<Versioned> {
    return super.write(key, { ...deed(write), ...(write.ver !== undefined && { ver: write.ver }) }, options);
  }
}

class IgnoresConditions extends Store {
  override write(key: string, write: Write, options?: OperationOptions): Promise<Versioned> {
    return super.write(key, { ...deed(write), ...(write.name && { name: write.name }) }, options);
  }
}

class ChangesTwice extends Store {
  override write(key: string, write: Write, options?: OperationOptions): Promise<Versioned> {
    if (!('change' in write)) return super.write(key, write, options);
    const { change } = write;
    return super.write(key, { ...write, change: (val, exists) => change(change(val, exists), true) }, options);
  }
}

class LosesWrites extends Store {
  #count = 0;
  override async write(key: string, write: Write, options?: OperationOptions): Promise<Versioned> {
    const isSet = 'val' in write && write.val !== DELETED && write.ver === undefined;
    if (!isSet || (this.#count += 1) % EVERY > 0) return super.write(key, write, options);
    const { ver, deletedVer = ver } = await this.get(key);
    return { ver: deletedVer + 1, val: write.val };
  }
}

class LosesDeletions extends Store {
  override async write(key: string, write: Write, options?: OperationOptions): Promise<Versioned> {
    const present = await this.get(key);
    if ('change' in write || write.val !== DELETED || present.ver === 0) return super.write(key, write, options);
    return { ver: 0, val: null, deletedVer: present.ver + 1 };
  }
}

class ReadsWhatWas extends Store {
  readonly #before = new Map<string, Versioned>();
  #count = 0;
  override async get(key: string, options?: OperationOptions): Promise<Versioned> {
    const present = await super.get(key, options);
    const before = this.#before.get(key) ?? present;
    this.#before.set(key, present);
    return (this.#count += 1) % EVERY === 0 ? before : present;
  }
}

/** As if there were no floor: the next version is 1, and the names are forgotten. */
function collectWithoutFloor(disks: readonly Memory[]): void {
  const [first] = disks;
  for (const [key, { value }] of first?.registers ?? []) {
    if (value?.includes('"deleted":true')) for (const { registers } of disks) registers.delete(key);
  }
}

describe('the clients of the chaos run and its judge', () => {
  it('find nothing wrong with the product, though answers are lost', async () => {
    expect(await rulesBrokenBy()).toEqual([]);
  });

  it.each([
    ['applies a repeat again', ForgetsNames, 'exactly once'],
    ['applies a change twice', ChangesTwice, 'exactly once'],
    ['acknowledges a write that it has lost', LosesWrites, 'linearizability'],
    ['acknowledges a deletion that it has lost', LosesDeletions, 'linearizability'],
    ['reads what was', ReadsWhatWas, 'linearizability'],
  ])('find out a product that %s', async (_, kind, rule) => {
    expect(await rulesBrokenBy(kind)).toContain(rule);
  });

  it('find out a product that takes no notice of the version that a write expects', async () => {
    const broken = await rulesBrokenBy(IgnoresConditions);
    expect(broken[0]).toContain('asked for version');
    expect(broken).toContain('linearizability');
  });

  it('find out a collection that leaves no floor', async () => {
    const broken = await rulesBrokenBy(Store, {
      now: (disks, history) => {
        history.noteCollection();
        collectWithoutFloor(disks);
      },
    });
    expect(broken).toContain('linearizability');
  });

  it('find out that all acceptors went back to an earlier moment', async () => {
    let past: Memory['registers'][] | undefined;
    const broken = await rulesBrokenBy(Store, {
      now: (disks, _history, share) => {
        // Early, so that each key has lost more than what nobody was told of.
        if (share > 0.2) past ??= disks.map(({ registers }) => new Map(registers));
        if (share === 1)
          for (const [index, { registers }] of disks.entries()) past?.[index]?.forEach((state, key) => registers.set(key, state));
      },
    });
    expect(broken).toContain('lineage');
    expect(broken).toContain('final state');
  });
});
