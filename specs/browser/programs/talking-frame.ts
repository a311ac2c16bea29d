/** A frame that serves its parent by posting to it, if its origin is the one that the address names. */
import { of } from 'rxjs';
import { messageWindow, serve } from '../../../lib/index.ts';
import { room } from './room.ts';

const origin = decodeURIComponent(location.hash.slice(1));
serve(room, of(messageWindow(self.parent, { origin }))).subscribe();
