import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, RedisServer } from './redis-server.js';

const EXTENSIONS = 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n';

/** Where certificates of a private authority lie. */
export interface Certificates {
  readonly folder: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** A private authority, and a certificate of it for 127.0.0.1, in a new folder. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  writeFileSync(join(folder, 'extensions'), EXTENSIONS);
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=private authority');
  openssl('req', ...newKey, '-keyout', 'redis.key', '-out', 'redis.csr', '-subj', '/CN=acceptor');
  openssl(
    'x509',
    '-req',
    '-in',
    'redis.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'extensions',
    '-out',
    'redis.pem',
  );
  const at = (file: string): string => join(folder, file);
  return { folder, authority: at('ca.pem'), certificate: at('redis.pem'), key: at('redis.key') };
}

export const USER = 'proposer';
export const PASSWORD = 'correct-horse-battery-staple';

const USERS = ['--user', USER, 'on', `>${PASSWORD}`, '~*', '+@all', '--user', 'default', 'off'];

/** A Redis that speaks TLS on a second port, and asks for a password on both. */
export class TlsRedis {
  readonly server: RedisServer;
  readonly certificates: Certificates;
  readonly tlsPort: number;
  readonly #args: readonly string[];

  private constructor(server: RedisServer, certificates: Certificates, tlsPort: number, args: readonly string[]) {
    this.server = server;
    this.certificates = certificates;
    this.tlsPort = tlsPort;
    this.#args = args;
  }

  /** @param users its users, as Redis is told of them */
  static async start(users: readonly string[] = USERS): Promise<TlsRedis> {
    const certificates = makeCertificates();
    const tlsPort = await freePort();
    const { authority, certificate, key } = certificates;
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', authority];
    const args = ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files, ...users];
    return new TlsRedis(await RedisServer.start(args), certificates, tlsPort, args);
  }

  /** Starts it again that was killed. */
  async restart(): Promise<void> {
    await this.server.start(this.#args);
  }

  get address(): string {
    return `rediss://127.0.0.1:${this.tlsPort}`;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.certificates.folder, { recursive: true, force: true });
  }
}
