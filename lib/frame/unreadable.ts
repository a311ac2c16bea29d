/** What a transport passes on in place of a message that it could not read. */
/** Input that could not be parsed: the channel passes it on, the peer gets an error, the connection lives. */
export class Unreadable {
  /** What is wrong, for the error's message. */
  readonly reason: string;
  /** The id of the request that it was, wherever one could be read. */
  readonly id: string | number | undefined;
  /** The code that answers it. */
  readonly code: number;
  /** The beginning of the input, for diagnostics. */
  readonly excerpt: string;
  constructor(reason: string, code: number, excerpt: string, id?: string | number) {
    this.reason = reason;
    this.code = code;
    this.excerpt = excerpt;
    this.id = id;
  }
}
