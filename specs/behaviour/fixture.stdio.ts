// The fixture as a program: what the behavioural suite starts as a child process.
import { serve } from '../../lib/index.ts';
import { stdio } from '../../lib/node/index.ts';
import { fixture } from './fixture.ts';

serve(fixture().server, stdio()).subscribe();
