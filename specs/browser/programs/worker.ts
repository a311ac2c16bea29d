/** A worker that serves whoever has made it. */
import { ports, serve } from '../../../lib/index.ts';
import { room } from './room.ts';

serve(room, ports(self)).subscribe();
