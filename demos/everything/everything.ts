/** A server with something of everything that the protocol has. */
import { server } from 'rxmcp';
import { basics } from './basics.ts';
import { changes } from './changes.ts';
import { content } from './content.ts';
import { documents } from './documents.ts';
import { allPrompts } from './prompts.ts';
import { questions } from './questions.ts';
import { rounds } from './rounds.ts';
import { schemas } from './schemas.ts';
import { sleeper } from './sleeper.ts';
import { telling } from './telling.ts';

/**
 * Makes the server; its lists and its counts are its own.
 *
 * @example
 * serve(everything(), stdio()).subscribe();
 */
export const everything = () =>
  server(
    { name: 'everything', version: '1.0.0', instructions: 'For tests: something of everything.' },
    ...basics,
    ...content,
    ...telling,
    ...schemas,
    ...questions,
    ...rounds,
    ...sleeper(),
    ...changes(),
    ...allPrompts,
    documents,
  );

/** For clients that know whom they talk to: `connect<Everything>(…)`. */
export type Everything = ReturnType<typeof everything>;
