/** Time that stands still until it is moved, and encryption that takes none: the same conversation always goes the same way. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { vi } from 'vitest';

interface Timer {
  readonly run: () => void;
  readonly ms: number;
  readonly every: boolean;
  due: number;
}

/** A clock in place of the global one. */
export interface Clock {
  /** Lets all that is ready happen, then moves on to the next timer, until so much time has passed. */
  readonly pass: (ms: number) => Promise<void>;
  /** How long those timers run, in milliseconds, that are still there. */
  readonly left: () => readonly number[];
  /** Forgets what is left. */
  readonly clear: () => void;
  readonly restore: () => void;
}

/** Microtasks, and rejections that nobody has taken, come before this. */
const ready = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const virtualClock = (): Clock => {
  const timers = new Map<number, Timer>();
  let [now, last] = [1_000_000, 0];
  const start =
    (every: boolean) =>
    (work: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): number => {
      timers.set((last += 1), { run: () => work(...given), ms, every, due: now + Math.max(ms, every ? 1 : 0) });
      return last;
    };
  const stop = (id: number): void => void timers.delete(id);
  vi.stubGlobal('setTimeout', start(false));
  vi.stubGlobal('setInterval', start(true));
  vi.stubGlobal('clearTimeout', stop);
  vi.stubGlobal('clearInterval', stop);
  const date = vi.spyOn(Date, 'now').mockImplementation(() => now);
  const next = (): readonly [number, Timer] | undefined => {
    let first: readonly [number, Timer] | undefined;
    for (const entry of timers) if (first === undefined || entry[1].due < first[1].due) first = entry;
    return first;
  };
  return {
    pass: async (ms) => {
      const end = now + ms;
      await ready();
      for (let entry = next(); entry !== undefined && entry[1].due <= end; entry = next()) {
        const [id, timer] = entry;
        now = timer.due;
        if (timer.every) timer.due += Math.max(timer.ms, 1);
        else timers.delete(id);
        timer.run();
        await ready();
      }
      now = end;
    },
    left: () => [...timers.values()].map(({ ms }) => ms),
    clear: () => timers.clear(),
    restore: () => {
      date.mockRestore();
      vi.unstubAllGlobals();
    },
  };
};

/** AES-GCM as the platform has it, without its threads: how long those take would decide what comes first. */
export const instantCrypto = (): void => {
  const tagBytes = 16;
  interface Params {
    readonly iv: Uint8Array;
    readonly additionalData: Uint8Array;
  }
  type Bytes = Uint8Array<ArrayBuffer>;
  const subtle = {
    generateKey: async () => randomBytes(32),
    encrypt: async ({ iv, additionalData }: Params, key: Bytes, plain: Bytes) => {
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(additionalData);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt: async ({ iv, additionalData }: Params, key: Bytes, sealed: Bytes) => {
      const decipher = createDecipheriv('aes-256-gcm', key, iv)
        .setAAD(additionalData)
        .setAuthTag(sealed.subarray(-tagBytes));
      return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]);
    },
  };
  const real = globalThis.crypto;
  vi.stubGlobal('crypto', {
    subtle,
    randomUUID: () => real.randomUUID(),
    getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => real.getRandomValues(bytes),
  });
};
