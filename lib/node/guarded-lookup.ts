/** Finds out what a name stands for, and keeps quiet about addresses that nobody should be sent to. */
import { lookup as system } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { LoginFailed } from '../frame/login-failed.ts';
import type { Reach } from '../transport/remote/authorizer.ts';

/**
 * A `lookup` for connections, which fails with {@link LoginFailed} where a name stands for any address that may not be
 * connected to. What is connected to is what was judged: nobody asks for the name a second time (SEC-05). An address in
 * place of a name is never looked up; it is for `reach.urlProblem` to judge.
 *
 * @param resolve - who knows. Default: the system
 */
export const guardedLookup =
  (reach: Reach, resolve: LookupFunction = system): LookupFunction =>
  (name, options, callback) => {
    resolve(name, { ...options, all: true }, (error, found, family = 0) => {
      const addresses = typeof found === 'string' ? [{ address: found, family }] : found;
      const [first] = error === null ? addresses : [];
      if (first === undefined) return callback(error ?? unknown(name), []);
      for (const { address } of addresses) {
        const message = reach.addressProblem(address, name);
        // One that is out of reach among others is how a name is made to change its mind.
        if (message !== undefined) return callback(new LoginFailed({ stage: 'network', message }), []);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

const unknown = (name: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
