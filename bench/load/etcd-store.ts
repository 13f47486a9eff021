import path from 'node:path';
import { credentials, loadPackageDefinition, Metadata, type ServiceClientConstructor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { layoutFrom } from '../../local/layout.js';
import { NetworkError } from '../../src/http/client.js';
import { type HeldValue, type LoadedStore, NotServed } from './loaded-store.js';

const DEFINITION = loadSync(path.join(layoutFrom({}).root, 'bench/load/etcd.proto'), { keepCase: true, longs: String, enums: String });
const { etcdserverpb } = loadPackageDefinition(DEFINITION) as unknown as { etcdserverpb: { KV: ServiceClientConstructor } };

/** The client and the service of `etcd.proto`. */
export const EtcdKv = etcdserverpb.KV;

/** A node that comes back is found again at once: what etcd is measured with is not to be the patience of its client. */
const OPTIONS = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 };
/** What gRPC reports of its own accord, when no answer came. */
const NO_ANSWER: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED];

interface EtcdAnswer {
  readonly kvs?: readonly { readonly mod_revision: string; readonly value: Buffer }[];
  readonly succeeded?: boolean;
}

/** A node of etcd by gRPC: a linearizable range, and a transaction that compares the revision. */
export class EtcdStore implements LoadedStore {
  readonly #client: InstanceType<ServiceClientConstructor>;
  readonly #timeoutMs: number;

  constructor(address: string, timeoutMs: number) {
    this.#client = new EtcdKv(address, credentials.createInsecure(), OPTIONS);
    this.#timeoutMs = timeoutMs;
  }

  async read(key: string): Promise<HeldValue> {
    const [held] = (await this.#ask('Range', { key: Buffer.from(key) })).kvs ?? [];
    if (!held) return { ver: '0', val: undefined };
    return { ver: held.mod_revision, val: JSON.parse(held.value.toString()) as unknown };
  }

  async write(key: string, { ver }: HeldValue, val: unknown): Promise<boolean> {
    const at = Buffer.from(key);
    const { succeeded } = await this.#ask('Txn', {
      compare: [{ key: at, target: 'MOD', result: 'EQUAL', mod_revision: ver }],
      success: [{ request_put: { key: at, value: Buffer.from(JSON.stringify(val)) } }],
    });
    return succeeded === true;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #ask(method: 'Range' | 'Txn', request: object): Promise<EtcdAnswer> {
    const definition = EtcdKv.service[method];
    if (!definition) throw new TypeError(`etcd.proto has no ${method}`);
    const { path: name, requestSerialize, responseDeserialize } = definition;
    const options = { deadline: Date.now() + this.#timeoutMs };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(name, requestSerialize, responseDeserialize, request, new Metadata(), options, (error, answer) => {
        if (!error) resolve(answer as EtcdAnswer);
        else if (NO_ANSWER.includes(error.code) && !error.details.startsWith('etcdserver:')) reject(new NetworkError(error.message));
        else reject(new NotServed(error.details));
      });
    });
  }
}
