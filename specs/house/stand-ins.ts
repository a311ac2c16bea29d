/** What examples speak of without making it: as an editor would show it to whoever pastes one into their own program. */
import type { Client, Server } from 'rxmcp';

/** The server that the README begins with, as far as its tools go. */
export declare const weather: Server<{
  readonly forecast: (args: { readonly city: string }) => { readonly celsius: number };
}>;

/** Another server of which nothing is known. */
export declare const files: Server;

/** A client of a server of which nothing is known. */
export declare const client: Client;

/** What the test runners have in common. */
export declare const expect: (actual: unknown) => {
  toEqual(expected: unknown): void;
  toBeUndefined(): void;
  readonly rejects: { toThrow(expected?: string): Promise<void> };
};
