import type { Process } from './process.js';

export interface Call<Reply> {
  readonly caller: Process;
  readonly from: string;
  readonly to: string;
  /** What the receiver does when the request arrives. */
  readonly act: () => Promise<Reply>;
  /** What kind of request it is, if it is one to an acceptor. */
  readonly kind?: string;
  /** What the reply is about, if its text does not say so. */
  readonly about?: string;
  /** For those who read what happened. */
  readonly request: () => string;
  readonly reply: (reply: Reply) => string;
  /** Whether the request may arrive a second time. */
  readonly mayRepeat?: boolean;
}

/** A request or a reply on its way. */
export interface Letter {
  readonly from: string;
  readonly to: string;
  /** Of the request; its reply counts as the same kind. */
  readonly kind: string;
  readonly text: () => string;
  readonly about?: string | undefined;
  readonly mayRepeat?: boolean;
  readonly arrive: () => void;
  /** Tells the caller at once that it was lost. */
  readonly fail: (error: Error) => void;
}

/** Carries requests and replies between nodes, by name. What is lost in silence never settles: the caller has to have a time-out. */
export abstract class Network {
  call<Reply>({ caller, from, to, act, kind = '', about, request, reply, mayRepeat = false }: Call<Reply>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        if (caller.alive) reject(error);
      };
      const succeed = (answer: Reply): void => {
        if (caller.alive) resolve(answer);
      };
      const sendBack = (told: Pick<Letter, 'text' | 'arrive'>): void => this.send({ from: to, to: from, kind, about, ...told, fail });
      const refuse = (error: unknown): void => {
        const reason = error instanceof Error ? error : new Error(String(error));
        sendBack({ text: () => reason.message, arrive: () => fail(reason) });
      };
      const answer = (result: Reply): void => sendBack({ text: () => reply(result), arrive: () => succeed(result) });
      this.send({ from, to, kind, mayRepeat, text: request, arrive: () => void act().then(answer, refuse), fail });
    });
  }

  protected abstract send(letter: Letter): void;
}
