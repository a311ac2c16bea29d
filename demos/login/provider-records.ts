/** Where an authorization server keeps what it has handed out: in memory, its own, and open to being withdrawn. */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** What an authorization server may take back of what it has given, all at once. */
export type Withdrawn = 'access' | 'refresh' | 'everything';

const models: Readonly<Record<Withdrawn, readonly string[]>> = {
  access: ['AccessToken', 'ClientCredentials'],
  refresh: ['RefreshToken'],
  everything: ['AccessToken', 'ClientCredentials', 'RefreshToken', 'AuthorizationCode', 'Grant', 'Session'],
};

/** Everything that one authorization server remembers. */
export interface Records {
  readonly adapter: AdapterFactory;
  readonly withdraw: (what: Withdrawn) => void;
}

export const records = (): Records => {
  const kept = new Map<string, AdapterPayload>();
  const found = (holds: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> =>
    Promise.resolve([...kept.values()].find(holds));
  const discard = (unwanted: (key: string, payload: AdapterPayload) => boolean): void => {
    for (const [key, payload] of kept) if (unwanted(key, payload)) kept.delete(key);
  };

  const adapter = (model: string): Adapter => {
    const keyOf = (id: string): string => `${model} ${id}`;
    return {
      upsert: async (id, payload) => {
        const { scope: _, ...rest } = payload;
        // An application may ask for more than it had thought of when it registered: people decide.
        kept.set(keyOf(id), model === 'Client' ? rest : payload);
      },
      find: (id) => Promise.resolve(kept.get(keyOf(id))),
      findByUid: (uid) => found((payload) => payload.kind === model && payload.uid === uid),
      findByUserCode: (code) => found((payload) => payload.kind === model && payload.userCode === code),
      consume: async (id) => {
        const payload = kept.get(keyOf(id));
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void kept.delete(keyOf(id)),
      revokeByGrantId: async (grantId) => discard((_key, payload) => payload.grantId === grantId),
    };
  };
  return {
    adapter,
    withdraw: (what) => discard((key) => models[what].some((model) => key.startsWith(`${model} `))),
  };
};
