/** `rxmcp/testing`: both ends in one process, over any revision, with everything between them laid open. */
export { linked, type Linked, type LinkedOptions } from './linked.ts';
export { tap, type Overheard, type Tapped } from './wiretap.ts';
export { breaches, ownBreaches, unanswered } from './breaches.ts';
export { counted, createLedger, type Ledger } from './ledger.ts';
export { altered, cutAfter, inbound, late, losing, puppet, twice, type Puppet } from './faults.ts';
export { frayed, type Frayed, type FrayedOptions, type Side, type Way } from './frayed.ts';
