import type { NetworkError, Refusal } from '../src/http/client.js';
import type { NamedProposer } from './proposers.js';

/** Tells the user once what goes wrong, beside the output. @param kind of which only the first is shown */
export type Note = (kind: string, text: string) => void;

export function noteSilence(note: Note, { called }: NamedProposer, error: NetworkError): void {
  note('silence', `${called} does not answer (${error.message}). It is tried again each second; is the cluster up? ./build-run.sh`);
}

export function noteRefusal(note: Note, { called }: NamedProposer, { code, message }: Refusal): void {
  note(
    code,
    code === 'NotConfigured'
      ? `${called} is not configured yet; the clients keep trying. ${HOW_TO_CONFIGURE}`
      : `${called} answers ${code}: ${message}`,
  );
}

const HOW_TO_CONFIGURE = `To configure a new cluster, type in node-control:
#   ./run-control.sh add-accept all acceptor-1:6379 1
#   ./run-control.sh add-prepare all acceptor-1:6379 1
# One that had acceptors before: ./run-control.sh status`;
