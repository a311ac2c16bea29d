/** A frame that serves its parent by a port of each connection's own, if its origin is the one that the address names. */
import { ports, serve } from '../../../lib/index.ts';
import { room } from './room.ts';

serve(room, ports(self, { origins: [decodeURIComponent(location.hash.slice(1))] })).subscribe();
