/** The form that asks how to travel: its choices are the flights that were found. */
import type { Flight } from './airline.ts';

export const labelOf = ({ code, departs, euros }: Flight): string => `${code} at ${departs}, ${euros} EUR`;

/** @param flights - at least one; the first of them is suggested */
export const tripForm = (flights: readonly Flight[]) =>
  ({
    type: 'object',
    properties: {
      name: { type: 'string', title: 'Traveller', description: 'As in the passport', minLength: 2, maxLength: 60 },
      flight: {
        type: 'string',
        title: 'Flight',
        oneOf: flights.map((flight) => ({ const: flight.code, title: labelOf(flight) })),
        ...(flights[0] === undefined ? undefined : { default: flights[0].code }),
      },
      day: { type: 'string', title: 'Day', format: 'date' },
      bags: { type: 'integer', title: 'Bags', description: '20 kg each', minimum: 0, maximum: 3, default: 1 },
      window: { type: 'boolean', title: 'Window seat', default: true },
      extras: {
        type: 'array',
        title: 'Extras',
        description: 'Free of charge',
        maxItems: 2,
        items: {
          anyOf: [
            { const: 'vegan', title: 'Vegan meal' },
            { const: 'quiet', title: 'Quiet row' },
            { const: 'aisle-help', title: 'Help on board' },
          ],
        },
      },
      note: { type: 'string', title: 'Anything else', maxLength: 80 },
    },
    required: ['name', 'flight', 'day'],
  }) as const;
