import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statfsSync } from 'node:fs';
import { mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACCEPTORS, PROPOSERS } from '../../local/layout.js';
import { ClusterTrouble, insist, type Scripts } from './cluster.js';

/** Far more than a run writes to an acceptor between two rewrites of its file; an image holds only what was written. */
const SIZE_BYTES = 512 * 1024 * 1024;
const NODES = [...ACCEPTORS, ...PROPOSERS];
const FILLER = 'filler';
/** A killed process may hold its files for a moment. */
const UNMOUNT_ATTEMPTS = 50;
const COPY_ATTEMPTS = 50;
const PAUSE_MS = 100;
/** Ends when its input does, so that no disk stays frozen, whatever becomes of this program. */
const HOLD = 'fsfreeze --freeze "$0" && echo frozen && { read -r _; fsfreeze --unfreeze "$0"; }';

type Owner = Pick<Scripts, 'layout' | 'environment'>;

/**
 * A disk for each acceptor and each proposer: ext4 on a loop device, in a file. That file holds what the node's file system has handed to its disk, and nothing that
 * is in the page cache only: what the node would find if its power failed.
 */
export class NodeDisks {
  readonly #scripts: Owner;
  /** Beside the cluster's own folder, where every node's folder is a mount point. */
  readonly #images: string;
  /** The shells that hold the disks of these nodes. */
  readonly #frozen = new Map<string, ChildProcess>();

  constructor(scripts: Owner) {
    this.#scripts = scripts;
    this.#images = `${scripts.layout.folder}-disks`;
  }

  /** Makes and mounts the disks, empty. Throws {@link ClusterTrouble} where this machine, or this user, cannot. */
  async mountAll(): Promise<void> {
    if (process.getuid?.() !== 0) throw new ClusterTrouble('only root may mount');
    for (const node of NODES) {
      await mkdir(this.#folder(node), { recursive: true });
      await mkdir(this.#images, { recursive: true });
      await writeFile(this.#image(node), '');
      await truncate(this.#image(node), SIZE_BYTES);
      await this.#type('mkfs.ext4', '-q', '-F', '-m', '0', this.#image(node));
      await this.#mount(node);
    }
  }

  /** Removes all disks, those of a run that crashed, too. No process may use them any more. */
  async removeAll(): Promise<void> {
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    const places = mounts.map((line) => line.split(' ')[1] ?? '').filter((place) => NODES.some((node) => place === this.#folder(node)));
    for (const place of places) await this.#unmount(place);
    await rm(this.#images, { recursive: true, force: true });
  }

  /**
   * Takes from a node what its disk has not got.
   *
   * @param freeze stops the node, wherever it is
   * @param kill ends the frozen node
   */
  async cutPower(node: string, freeze: () => Promise<void>, kill: () => Promise<void>): Promise<void> {
    const copy = `${this.#image(node)}.cut`;
    await freeze();
    await this.#copy(node, copy);
    await kill();
    await this.#unmount(this.#folder(node));
    await rename(copy, this.#image(node));
    await this.#mount(node);
  }

  /** Leaves no room. */
  async fill(node: string): Promise<void> {
    const { bavail, bsize } = statfsSync(this.#folder(node));
    await this.#type('fallocate', '-l', String(bavail * bsize), path.join(this.#folder(node), FILLER)).catch(() => undefined);
  }

  /** The file system finds an error in itself, and takes no more writes. */
  async breakFileSystem(node: string): Promise<void> {
    await writeFile(`/sys/fs/ext4/${await this.#device(node)}/trigger_fs_error`, 'chaos');
  }

  /** Every write and every sync takes until {@link thaw}: its process stands still in it, and cannot even be killed. */
  async freeze(node: string): Promise<void> {
    const holder = spawn('sh', ['-c', HOLD, this.#folder(node)], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])) as [unknown];
    if (!Buffer.isBuffer(said)) throw new ClusterTrouble(`the disk of ${node} cannot be frozen`);
    this.#frozen.set(node, holder);
  }

  async thaw(node: string): Promise<void> {
    const holder = this.#frozen.get(node);
    this.#frozen.delete(node);
    if (!holder) return;
    const ended = once(holder, 'close');
    holder.stdin?.end();
    await ended;
  }

  async thawAll(): Promise<void> {
    for (const node of [...this.#frozen.keys()]) await this.thaw(node);
  }

  /** What docs/operations.md tells an operator to do with an acceptor that is held; its process has ended. */
  async repair(node: string): Promise<void> {
    await this.#unmount(this.#folder(node));
    // It exits 1 where it has mended something.
    await this.#type('sh', '-c', 'fsck.ext4 -f -y "$0" || [ $? -eq 1 ]', this.#image(node));
    await this.#mount(node);
    await rm(path.join(this.#folder(node), FILLER), { force: true });
    await rm(path.join(this.#folder(node), 'held'), { force: true });
  }

  /** As the disk is at one moment: the kernel itself may write to it while it is copied, and then it is copied again. */
  async #copy(node: string, copy: string): Promise<void> {
    const device = await this.#device(node);
    const written = (): string[] => readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/).slice(4, 9);
    for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt += 1) {
      const before = written();
      await this.#type('cp', '--sparse=always', this.#image(node), copy);
      const [inFlight] = before.slice(-1);
      if (inFlight === '0' && before.join(' ') === written().join(' ')) return;
      await sleep(PAUSE_MS);
    }
    throw new ClusterTrouble(`the disk of ${node} is never at rest`);
  }

  /** Its name in `/sys`. */
  async #device(node: string): Promise<string> {
    return path.basename(await this.#type('findmnt', '--noheadings', '--output', 'SOURCE', this.#folder(node)));
  }

  async #mount(node: string): Promise<void> {
    await this.#type('mount', '-o', 'loop,errors=remount-ro', this.#image(node), this.#folder(node));
  }

  async #unmount(place: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#type('umount', place);
        return;
      } catch (error) {
        if (attempt === UNMOUNT_ATTEMPTS) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  #folder(node: string): string {
    return path.join(this.#scripts.layout.folder, node);
  }

  #image(node: string): string {
    return path.join(this.#images, `${node}.img`);
  }

  #type(command: string, ...args: readonly string[]): Promise<string> {
    return insist(command, args, this.#scripts);
  }
}
