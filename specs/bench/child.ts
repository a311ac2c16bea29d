/** A child process that is asked one thing at a time over IPC, and is gone when the asking ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Microseconds; `cpu` is user and system time of the measured process. Or bytes, by which its heap has grown. */
export interface Sample {
  readonly cpu?: number;
  readonly wall?: number;
  readonly bytes?: number;
}

export interface Child {
  /** Where it listens, if it does. */
  readonly port: number | undefined;
  ask(message: object): Promise<Sample>;
  stop(): Promise<void>;
}

/** Resolves when the child says that it is ready; a child that dies fails whatever waits for it. */
export const start = async ([command, ...args]: [string, ...string[]]): Promise<Child> => {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const died = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${args.join(' ')} ended with ${String(code ?? signal)}`);
  });
  died.catch(() => undefined);
  const next = async (): Promise<Sample & { readonly port?: number }> => {
    const [reply] = (await Promise.race([once(child, 'message'), died])) as [Sample & { readonly port?: number }];
    return reply;
  };
  const { port } = await next();
  return {
    port,
    ask: (message) => {
      const reply = next();
      child.send(message);
      return reply;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await died.catch(() => undefined);
    },
  };
};
