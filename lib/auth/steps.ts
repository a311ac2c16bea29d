/** What happens while somebody is being logged in, for people to see. */

/** One step; `server` is the URL of the server that asked for it. None of them holds a secret. */
export type LoginStep =
  /** The server asks who we are, or for more than what we have proved: `scopes` are those that it names. */
  | { readonly kind: 'asked'; readonly server: string; readonly scopes: readonly string[] }
  /** Another program, or another part of this one, is at it already. */
  | { readonly kind: 'waiting'; readonly server: string }
  /** It is known who gives out the proof (`issuer`), what for, and which scopes will be asked for. */
  | {
      readonly kind: 'discovered';
      readonly server: string;
      readonly resource: string;
      readonly issuer: string;
      readonly scopes: readonly string[];
    }
  /** The authorization server knows us: it was told so before, by a document of ours, just now, or we remember. */
  | {
      readonly kind: 'registered';
      readonly server: string;
      readonly issuer: string;
      readonly clientId: string;
      readonly how: 'given' | 'document' | 'dynamic' | 'remembered';
    }
  /** Somebody is to open this page and log in. */
  | { readonly kind: 'visit'; readonly server: string; readonly url: string; readonly redirectUri: string }
  /** They have come back, with a code. */
  | { readonly kind: 'code'; readonly server: string; readonly issuer: string }
  /** Our identity provider has vouched for us: `issuer` is who it is, or where it is asked. */
  | { readonly kind: 'exchanged'; readonly server: string; readonly issuer: string }
  /** There is a proof: these scopes, until then (milliseconds since 1970), and whether it can be renewed without asking. */
  | {
      readonly kind: 'token';
      readonly server: string;
      readonly by: 'login' | 'refresh';
      readonly scopes: readonly string[];
      readonly expiresAt?: number;
      readonly renewable: boolean;
    }
  /** It came to nothing. */
  | { readonly kind: 'failed'; readonly server: string; readonly message: string };

/** A step as it is told; which server it is about is added by whoever knows. */
export type Told = LoginStep extends infer S ? (S extends LoginStep ? Omit<S, 'server'> : never) : never;
