/** What a decoder says of a value: what it became, or what is wrong with it. */
export type Verdict = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** A verdict comes at once, except from a schema that has to wait for something itself. */
export type Decoder = (value: unknown) => Verdict | Promise<Verdict>;
