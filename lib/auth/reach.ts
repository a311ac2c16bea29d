/**
 * Whom requests may go to that only a server has asked for: what it names must not lead into the network that we stand in.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations
 */
import ipaddr from 'ipaddr.js';
import { Misconfigured, quoted } from '../frame/errors.ts';
import type { Reach } from '../transport/remote/authorizer.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Says whom requests on account of one server may go to: public addresses over `https:`; this machine too, where the
 * server is on it; and the server's own host, since its user has named it (SEC-01 to SEC-06).
 *
 * @param serverUrl - of the MCP server, as its user gave it
 * @param trustedHosts - names, addresses and ranges (`10.1.0.0/16`) that may be other than public
 * @throws {@link Misconfigured} where one of those is neither
 */
export const reachOf = (serverUrl: string, trustedHosts: readonly string[] = []): Reach => {
  const { names, ranges } = trustOf(trustedHosts);
  const own = nameOf(new URL(serverUrl));
  names.add(own);
  const isTrusted = (address: Address): boolean =>
    ranges.some(([first, bits]) => address.kind() === first.kind() && address.match(first, bits));
  const onLoopback = isLoopback(own) || isTrusted(ipaddr.parse('127.0.0.1')) || isTrusted(ipaddr.parse('::1'));

  /** What kind of address this is that nobody may be sent to. */
  const fault = (address: Address, ours: boolean): string | undefined => {
    if (isTrusted(address)) return undefined;
    if (ours && address.range() === 'loopback') return undefined;
    if (address instanceof ipaddr.IPv4) return address.range() === 'unicast' ? undefined : kindOf(address);
    if (address.isIPv4MappedAddress()) return fault(address.toIPv4Address(), ours);
    // Whoever translates these sends them on: where to counts, and this machine is theirs.
    if (address.match(nat64, 96)) return fault(lastOf(address), false);
    if (!address.match(publicRange, 3) || address.range() !== 'unicast') return kindOf(address);
    return isIsatap(address) ? fault(lastOf(address), false) : undefined;
  };

  return {
    urlProblem: (url) => {
      const problem = schemeProblem(url);
      if (problem !== undefined) return problem;
      const name = nameOf(url);
      if (names.has(name) || (onLoopback && isLoopback(name))) return undefined;
      if (isLocalhost(name)) return `${quoted(name)} is this machine, ${forbidden}`;
      const address = addressOf(name);
      const kind = address === undefined ? undefined : fault(address, onLoopback);
      return kind === undefined ? undefined : `${quoted(name)} is ${kind}, ${forbidden}`;
    },
    addressProblem: (address, given) => {
      const name = plain(given);
      if (names.has(name)) return undefined;
      const parsed = addressOf(address);
      const stands = `${quoted(name)} stands for ${quoted(address)}, which is`;
      if (parsed === undefined) return `${stands} no address`;
      // It was let off `https:` because it never leaves this machine.
      if (isLocalhost(name) && !isLoopback(address)) return `${stands} not on this machine`;
      const kind = fault(parsed, onLoopback);
      return kind === undefined ? undefined : `${stands} ${kind}, ${forbidden}`;
    },
  };
};

const forbidden = 'where a server must not send us unless trustedHosts names it';

/**
 * What is wrong with a URL wherever it leads: it is not `https:`, nor `http:` on this machine, holds credentials, or names
 * no host.
 */
export const schemeProblem = (url: URL): string | undefined => {
  const { protocol, username, password } = url;
  if (protocol !== 'https:' && protocol !== 'http:')
    return `a URL of ${quoted(protocol)} is not for us: only https: is`;
  const name = nameOf(url);
  if (username !== '' || password !== '') return `the URL at ${quoted(name)} holds credentials`;
  if (!isHost(name)) return `${quoted(name)} is no name of a host`;
  if (protocol === 'https:' || isLoopback(name)) return undefined;
  return `the URL at ${quoted(name)} is not https:, and http: is for this machine only`;
};

/** Whether this may be a host: URLs allow in it what none is called, and what a shell would make something of. */
const isHost = (name: string): boolean => /^(?:[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*)$/.test(name);

/** Which host a URL means; an address without its brackets. */
const nameOf = ({ hostname }: URL): string => plain(hostname.replace(/^\[(.*)\]$/, '$1'));

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');

const isLocalhost = (name: string): boolean => /^(?:.*\.)?localhost$/.test(name);

/** Whether a name or address is of the machine that asks. */
const isLoopback = (name: string): boolean => {
  if (isLocalhost(name)) return true;
  const address = addressOf(name);
  if (address === undefined) return false;
  const meant = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
  return meant.range() === 'loopback';
};

/** An address as URLs and resolvers write it: shorter spellings of IPv4 mean different things to different readers. */
const addressOf = (text: string): Address | undefined => {
  // Through which interface makes no difference.
  const bare = text.replace(/%.*$/s, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  return bare.includes(':') && ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
};

/** What is given out to the public at all. */
const publicRange = ipaddr.IPv6.parse('2000::');

/** Behind which a network with IPv6 alone finds all of IPv4; the other one, 64:ff9b:1::/48, is for a network's own use. */
const nat64 = ipaddr.IPv6.parse('64:ff9b::');

/** Ends as the addresses of tunnels through a site's own IPv4 do (RFC 5214). */
const isIsatap = ({ parts: [, , , , flags = 0, mark] }: ipaddr.IPv6): boolean =>
  (flags & 0xfdff) === 0 && mark === 0x5efe;

const lastOf = (address: ipaddr.IPv6): ipaddr.IPv4 => new ipaddr.IPv4(address.toByteArray().slice(-4));

const kindOf = (address: Address): string => kinds[address.range()] ?? 'a reserved address';

const kinds: Readonly<Record<string, string>> = {
  unspecified: 'an address of nobody',
  loopback: 'this machine',
  private: 'a private address',
  uniqueLocal: 'a private address',
  carrierGradeNat: "an address of a provider's own network",
  linkLocal: 'an address of this link only',
  multicast: 'an address of many',
  broadcast: 'an address of all',
  '6to4': 'an address of a tunnel (6to4)',
  teredo: 'an address of a tunnel (Teredo)',
};

interface Trust {
  readonly names: Set<string>;
  readonly ranges: readonly (readonly [Address, number])[];
}

const trustOf = (hosts: readonly string[]): Trust => {
  const names = new Set<string>();
  const ranges: (readonly [Address, number])[] = [];
  for (const host of hosts) {
    if (isRange(host)) {
      ranges.push(ipaddr.parseCIDR(host));
      continue;
    }
    const name = trustedName(host);
    const address = addressOf(name);
    if (address === undefined) names.add(name);
    else ranges.push([address, address.kind() === 'ipv4' ? 32 : 128]);
  }
  return { names, ranges };
};

const isRange = (text: string): boolean =>
  ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || (text.includes(':') && ipaddr.IPv6.isValidCIDR(text));

/** A name as a URL would have it: in lower case, in ASCII. */
const trustedName = (host: string): string => {
  const text = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const url = URL.canParse(`https://${text}/`) ? new URL(`https://${text}/`) : undefined;
  if (url !== undefined && /^[^/?#@\\\s]+$/.test(host) && url.port === '') return nameOf(url);
  const message = `trustedHosts: ${quoted(host)} is neither a name, like "login.internal", nor a range, like "10.1.0.0/16"`;
  throw new Misconfigured({ message });
};
