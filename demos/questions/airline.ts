/** An airline as a server would know it: slow, with prices that change at each look, and never to be booked twice. */
import { setTimeout as after } from 'node:timers/promises';

export interface Flight {
  readonly code: string;
  readonly departs: string;
  readonly euros: number;
}

/** How often what was done. */
export interface Ledger {
  /** Runs of the handler that books. */
  readonly runs: number;
  readonly lookUps: number;
  readonly seatsHeld: number;
  readonly bookings: number;
}

/** How long anything takes there, in milliseconds. */
const slowMs = 30;

const departures = ['06:40', '11:15', '19:05'];

export class Airline {
  #runs = 0;
  #lookUps = 0;
  #held = 0;
  readonly #booked = new Set<string>();

  get ledger(): Ledger {
    return { runs: this.#runs, lookUps: this.#lookUps, seatsHeld: this.#held, bookings: this.#booked.size };
  }

  ran(): void {
    this.#runs += 1;
  }

  /** Each look-up finds other prices: whoever looks again has not seen what the traveller has chosen. */
  async search(to: string, signal: AbortSignal): Promise<readonly Flight[]> {
    this.#lookUps += 1;
    const rise = 10 * (this.#lookUps - 1);
    await after(slowMs, undefined, { signal });
    return departures.map((departs, index) => ({
      code: `${to.slice(0, 2).toUpperCase()}${index + 1}`,
      departs,
      euros: 120 + 35 * index + rise,
    }));
  }

  /** @returns the reference of a seat that is kept for a while */
  async hold(code: string): Promise<string> {
    await after(slowMs);
    this.#held += 1;
    return `${code}-${String(this.#held).padStart(4, '0')}`;
  }

  /** Waits for the payment provider, not for the traveller's word; booking the same seat again changes nothing. */
  async book(reference: string, signal: AbortSignal): Promise<void> {
    await after(slowMs, undefined, { signal });
    this.#booked.add(reference);
  }
}
