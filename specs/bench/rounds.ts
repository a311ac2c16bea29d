/** Contenders take turns, so that whatever the machine does meanwhile befalls them alike. */
import type { Sample } from './child.ts';

/** One contender, ready to be measured: makes `calls` calls, or fewer where a call is dear. */
export interface Contender {
  readonly name: string;
  measure(calls: number): Promise<Sample>;
}

export interface Plan {
  readonly rounds: number;
  readonly warmUps: number;
  /** Calls in the first turn of all. */
  readonly first: number;
  /** How long one turn of a contender should take, in microseconds. */
  readonly turn: number;
  /** Measured by CPU time where a process can tell it, else by the clock; or by what is held in memory. */
  readonly by: 'cpu' | 'wall' | 'bytes';
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
};

export interface Measured {
  /** Median over the rounds, in microseconds per call, or bytes for each thing held. */
  readonly median: number;
  readonly samples: readonly number[];
}

/** Every contender once a round; who begins moves on with each round. */
export const interleave = async (
  contenders: readonly Contender[],
  plan: Plan,
): Promise<ReadonlyMap<string, Measured>> => {
  const samples = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  const calls = new Map(contenders.map(({ name }) => [name, plan.first]));
  const perCall = (sample: Sample, count: number): number => (sample[plan.by] ?? NaN) / count;

  for (let round = -plan.warmUps; round < plan.rounds; round++) {
    const first = (round + plan.warmUps) % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const count = calls.get(contender.name) ?? 1;
      const took = perCall(await contender.measure(count), count);
      if (round >= 0) samples.get(contender.name)?.push(took);
      // While it warms up, each contender finds the number of calls that fills its turn.
      else calls.set(contender.name, Math.max(1, Math.round(plan.turn / took)));
    }
  }
  return new Map([...samples].map(([name, values]) => [name, { median: median(values), samples: values }]));
};
