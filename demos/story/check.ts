/** A demo tells a story and checks that it is true: it ends with exit code 1 at the first thing that is not. */
import { paint } from './paint.ts';

/** Something that a demo had promised, and did not happen. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

/** @throws Mismatch where this does not hold */
export function check(holds: boolean, promised: string, found?: unknown): asserts holds {
  if (holds) return;
  throw new Mismatch(found === undefined ? promised : `${promised}; found ${JSON.stringify(found) ?? String(found)}`);
}

/** Runs a demo to its end; what it throws is told in a line, and is its exit code. */
export const story = async (tell: () => Promise<void>): Promise<void> => {
  try {
    await tell();
  } catch (error) {
    const why = error instanceof Mismatch ? error.message : error instanceof Error ? error.stack : String(error);
    console.error(paint.bad(`\nThis did not go as it should: ${why}`));
    process.exitCode = 1;
  }
};
