/**
 * A server that books trips, and asks on the way: a form, the user's model, their folders, and a page for the payment. It
 * is written once; whether its questions are requests or another round of the call is the runtime's business.
 */
import { randomBytes } from 'node:crypto';
import { elicit, elicitUrl, listRoots, sample, Schema, serverWith, tool } from 'rxmcp';
import { modelText } from '../everything/model-text.ts';
import { Airline } from './airline.ts';
import { labelOf, tripForm } from './trip-form.ts';

const Outcome = Schema.Struct({
  status: Schema.Literal('booked', 'not booked'),
  why: Schema.optional(Schema.String),
  reference: Schema.optional(Schema.String),
  flight: Schema.optional(Schema.String),
  summary: Schema.optional(Schema.String),
  saveTo: Schema.optional(Schema.String),
});

const Ledger = Schema.Struct({
  runs: Schema.Int,
  lookUps: Schema.Int,
  seatsHeld: Schema.Int,
  bookings: Schema.Int,
});

const steps = 5;

const notBooked = (why: string) => ({ status: 'not booked', why }) as const;

/** A user who would not, and one who went away: neither has said yes. */
const unwilling = (what: string, action: 'decline' | 'cancel') =>
  notBooked(action === 'decline' ? `the user declined ${what}` : `the user closed ${what} without an answer`);

const book = (airline: Airline) =>
  tool(
    'book',
    {
      description: 'Books a flight; asks how to travel, and sends the user to a page to pay.',
      input: Schema.Struct({ to: Schema.String.pipe(Schema.minLength(2), Schema.maxLength(40)) }),
      output: Outcome,
      annotations: { destructiveHint: true },
    },
    async ({ to }, call) => {
      airline.ran();
      // Said now: nobody should fill in a form for a booking that cannot be paid.
      if (!call.can('elicitation.url')) return notBooked('this client cannot send its user to a page to pay');

      call.progress(1, steps, `looking up flights to ${to}`);
      // Without a step, each run would look again and find other prices: never the form that was just filled in.
      const flights = await call.step('flights', () => airline.search(to, call.signal));
      call.progress(2, steps, `${flights.length} flights found`);

      const trip = call.ask('trip', elicit(tripForm(flights), `How would you like to fly to ${to}?`));
      if (trip.action !== 'accept') return unwilling('the form', trip.action);
      const { name, day, bags = 0 } = trip.content;
      const flight = flights.find(({ code }) => code === trip.content.flight);
      if (flight === undefined) return notBooked('this flight is no longer on offer');
      const label = labelOf(flight);

      // Nice to have: a client that can do neither is asked neither.
      const helped =
        call.can('sampling') && call.can('roots')
          ? call.askAll({
              summary: sample({
                messages: `Say in one sentence: ${name} flies to ${to} on ${day}, ${label}, bags: ${bags}.`,
                maxTokens: 60,
              }),
              roots: listRoots(),
            })
          : undefined;
      call.progress(3, steps, 'the trip is put together');

      const reference = await call.step('seat', () => airline.hold(flight.code));
      // Nobody types a card number into a form (ELI-23); the page asks who is there before it shows anything.
      const payment = call.ask(
        'payment',
        elicitUrl(`https://pay.example.com/seats/${reference}`, `Please pay ${flight.euros} EUR for ${label}.`),
      );
      if (payment.action !== 'accept') return unwilling('the payment', payment.action);
      call.progress(4, steps, 'waiting for the payment');
      // That the user agreed to go there does not mean that they have paid (ELI-13).
      await airline.book(reference, call.signal);
      call.progress(5, steps, 'booked');

      return {
        status: 'booked' as const,
        reference,
        flight: label,
        ...(helped === undefined ? undefined : { summary: modelText(helped.summary.content) }),
        ...(helped?.roots[0] === undefined ? undefined : { saveTo: `${helped.roots[0].uri}/${reference}.ics` }),
      };
    },
  );

/** @param airline - where it books */
export const trips = (airline = new Airline()) =>
  serverWith(
    // A server over stdio lives as long as its client does: nobody comes back to another process with this state.
    { state: { keys: [randomBytes(32).toString('base64url')] } },
    { name: 'trips', version: '1.0.0', instructions: 'Books flights. Its questions are for the user, not for you.' },
    book(airline),
    tool('ledger', { description: 'How often what was done.', output: Ledger }, () => airline.ledger),
  );

/** For clients that know whom they talk to: `connect<Trips>(…)`. */
export type Trips = ReturnType<typeof trips>;
