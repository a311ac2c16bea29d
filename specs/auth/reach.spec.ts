import fc from 'fast-check';
import { Misconfigured } from 'rxmcp';
import { describe, expect, it } from 'vitest';
import { reachOf, schemeProblem } from '../../lib/auth/reach.ts';

const remote = 'https://mcp.example/mcp';
const local = 'http://localhost:3000/mcp';

/** Why nothing may be sent there. */
const problem = (url: string, server = remote, trusted: readonly string[] = []): string | undefined =>
  reachOf(server, trusted).urlProblem(new URL(url));

type Octets = readonly [number, number, number, number];

const octet = fc.integer({ min: 0, max: 255 });
const anywhereIn = (...first: readonly (number | readonly [number, number])[]): fc.Arbitrary<Octets> =>
  fc.tuple(
    ...([0, 1, 2, 3].map((at) => {
      const part = first[at];
      if (part === undefined) return octet;
      return typeof part === 'number' ? fc.constant(part) : fc.integer({ min: part[0], max: part[1] });
    }) as [fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>]),
  );

/** IANA's registry of addresses that are not global, those of this machine apart. */
const privateOctets: fc.Arbitrary<Octets> = fc.oneof(
  anywhereIn(0),
  anywhereIn(10),
  anywhereIn(100, [64, 127]),
  anywhereIn(169, 254),
  anywhereIn(172, [16, 31]),
  anywhereIn(192, 0, 0),
  anywhereIn(192, 0, 2),
  anywhereIn(192, 168),
  anywhereIn(198, [18, 19]),
  anywhereIn(198, 51, 100),
  anywhereIn(203, 0, 113),
  anywhereIn([224, 255]),
);
const loopbackOctets = anywhereIn(127);
const publicOctets: fc.Arbitrary<Octets> = fc.oneof(
  anywhereIn([1, 9]),
  anywhereIn([11, 99]),
  anywhereIn(100, [0, 63]),
  anywhereIn([128, 168]),
  anywhereIn(172, [32, 255]),
  anywhereIn([193, 197]),
);

const dotted = (octets: Octets): string => octets.join('.');
const hex = (number: number): string => number.toString(16).padStart(2, '0');
const high = ([a, b]: Octets): string => `${hex(a)}${hex(b)}`;
const low = ([, , c, d]: Octets): string => `${hex(c)}${hex(d)}`;
const flipped = (octets: Octets): Octets => {
  const [a, b, c, d] = octets;
  return [255 - a, 255 - b, 255 - c, 255 - d];
};
const whole = ([a, b, c, d]: Octets): number => ((a * 256 + b) * 256 + c) * 256 + d;

/** Ways to write an IPv4 address that a URL understands. */
const spellings: Readonly<Record<string, (octets: Octets) => string>> = {
  dotted,
  decimal: (octets) => `${whole(octets)}`,
  hexadecimal: (octets) => `0x${whole(octets).toString(16)}`,
  octal: (octets) => octets.map((part) => `0${part.toString(8)}`).join('.'),
  'in three parts': ([a, b, c, d]) => `${a}.${b}.${c * 256 + d}`,
  'in two parts': ([a, b, c, d]) => `0X${a.toString(16)}.${(b * 256 + c) * 256 + d}`,
  'with a dot behind': (octets) => `${dotted(octets)}.`,
  'in full width': (octets) => [...dotted(octets)].map((char) => (char === '.' ? '。' : fullWidth(char))).join(''),
};
const fullWidth = (digit: string): string => String.fromCodePoint(0xff10 + Number(digit));

/** IPv6 addresses that lead to an IPv4 address. */
const translated: Readonly<Record<string, (octets: Octets) => string>> = {
  'IPv4-mapped': (octets) => `::ffff:${dotted(octets)}`,
  'IPv4-mapped, written out': (octets) => `0:0:0:0:0:ffff:${high(octets)}:${low(octets)}`,
  NAT64: (octets) => `64:ff9b::${high(octets)}:${low(octets)}`,
};
/** IPv6 addresses that hold an IPv4 address, and are nobody's whom we should know, whichever it is. */
const tunnelled: Readonly<Record<string, (octets: Octets) => string>> = {
  'IPv4-compatible': (octets) => `::${high(octets)}:${low(octets)}`,
  'IPv4-translated': (octets) => `::ffff:0:${high(octets)}:${low(octets)}`,
  'NAT64 for local use': (octets) => `64:ff9b:1::${high(octets)}:${low(octets)}`,
  '6to4': (octets) => `2002:${high(octets)}:${low(octets)}::1`,
  'Teredo, as its client': (octets) => `2001:0:102:304::${high(flipped(octets))}:${low(flipped(octets))}`,
  'Teredo, as its server': (octets) => `2001:0:${high(octets)}:${low(octets)}::`,
};

describe('reachOf', () => {
  it.each(Object.entries(spellings))('refuses private IPv4, %s (SEC-03)', (_, spelling) => {
    fc.assert(
      fc.property(privateOctets, (octets) => {
        expect(problem(`https://${spelling(octets)}/`)).toMatch(/where a server must not send us/);
      }),
    );
    fc.assert(
      fc.property(publicOctets, (octets) => {
        expect(problem(`https://${spelling(octets)}/`)).toBeUndefined();
      }),
    );
  });

  it.each(Object.entries(translated))('judges what an address leads to: %s (SEC-03)', (_, embed) => {
    const { addressProblem, urlProblem } = reachOf(remote);
    const refused = (octets: Octets): void => {
      expect(urlProblem(new URL(`https://[${embed(octets)}]/`))).toMatch(/where a server must not send us/);
      expect(addressProblem(embed(octets), 'login.example')).toMatch(/where a server must not send us/);
    };
    fc.assert(fc.property(fc.oneof(privateOctets, loopbackOctets), refused));
    fc.assert(
      fc.property(publicOctets, (octets) => {
        expect(urlProblem(new URL(`https://[${embed(octets)}]/`))).toBeUndefined();
        expect(addressProblem(embed(octets), 'login.example')).toBeUndefined();
      }),
    );
  });

  it.each(Object.entries(tunnelled))('refuses tunnels: %s (SEC-03)', (_, embed) => {
    const { addressProblem, urlProblem } = reachOf(local);
    fc.assert(
      fc.property(fc.oneof(privateOctets, loopbackOctets, publicOctets), (octets) => {
        fc.pre(whole(octets) > 1);
        expect(urlProblem(new URL(`https://[${embed(octets)}]/`))).toMatch(/where a server must not send us/);
        expect(addressProblem(embed(octets), 'login.example')).toMatch(/where a server must not send us/);
      }),
    );
  });

  it('judges what a tunnel within a site leads to, beneath any prefix (SEC-03)', () => {
    const ends = (octets: Octets, flags: string) => `2606:4700:1:2:${flags}:5efe:${high(octets)}:${low(octets)}`;
    fc.assert(
      fc.property(fc.oneof(privateOctets, loopbackOctets), fc.constantFrom('0', '200'), (octets, flags) => {
        expect(problem(`https://[${ends(octets, flags)}]/`, local)).toBeDefined();
      }),
    );
    expect(problem(`https://[${ends([9, 9, 9, 9], '200')}]/`)).toBeUndefined();
  });

  it.each([
    ['unspecified', '::'],
    ['link-local', 'fe80::1'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fc00::1'],
    ['unique local, as clouds use it', 'fd00:ec2::254'],
    ['multicast', 'ff02::1'],
    ['for documentation', '2001:db8::1'],
    ['to be thrown away', '100::1'],
    ['given to nobody', '4000::1'],
  ])('refuses IPv6 that is %s (SEC-03)', (_, address) => {
    const { urlProblem, addressProblem } = reachOf(local);
    expect(urlProblem(new URL(`https://[${address}]/`))).toBeDefined();
    expect(addressProblem(address, 'login.example')).toBeDefined();
  });

  it('sees through the interface that an address is scoped to, and takes nothing else for an address (SEC-03)', () => {
    const { addressProblem } = reachOf(remote);
    expect(addressProblem('fe80::1%eth0', 'login.example')).toMatch(/this link only/);
    expect(addressProblem('::1%lo.1', 'login.example')).toMatch(/this machine/);
    expect(addressProblem('2606:4700::1111%eth0', 'login.example')).toBeUndefined();
    for (const odd of ['', '0177.0.0.1', '2130706433', '127.1', 'login.example', '1.1.1.1/8'])
      expect(addressProblem(odd, 'login.example'), odd).toMatch(/no address/);
  });

  it('lets names of the public through, and judges them by what they stand for (SEC-05)', () => {
    const { urlProblem, addressProblem } = reachOf(remote);
    expect(urlProblem(new URL('https://login.example/authorize?x=1'))).toBeUndefined();
    expect(addressProblem('9.9.9.9', 'login.example')).toBeUndefined();
    expect(addressProblem('2606:4700:4700::1111', 'login.example')).toBeUndefined();
    expect(addressProblem('169.254.169.254', 'login.example')).toBe(
      '"login.example" stands for "169.254.169.254", which is an address of this link only, ' +
        'where a server must not send us unless trustedHosts names it',
    );
    expect(addressProblem('127.0.0.1', 'login.example')).toMatch(/this machine/);
  });

  it('wants https: but on this machine, and neither credentials nor any other scheme (SEC-02, SEC-06)', () => {
    expect(problem('http://login.example/')).toMatch(/not https:/);
    expect(problem('http://login.example/', local)).toMatch(/not https:/);
    expect(problem('http://mcp.example/', remote)).toMatch(/not https:/);
    expect(problem('http://10.0.0.1/', 'https://10.0.0.1/mcp')).toMatch(/not https:/);
    expect(problem('http://trusted.example/', remote, ['trusted.example'])).toMatch(/not https:/);
    expect(problem('http://localhost.example/', local)).toMatch(/not https:/);
    for (const url of [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'vbscript:x',
      'ftp://x.example/',
    ])
      expect(problem(url, local), url).toMatch(/only https: is/);
    expect(problem('https://user@login.example/')).toMatch(/credentials/);
    expect(problem('https://:secret@mcp.example/')).toMatch(/credentials/);
    expect(problem('https://:secret@mcp.example/')).not.toContain('secret');
  });

  const loopbacks = [
    'localhost',
    'LOCALHOST.',
    'as.localhost',
    '127.0.0.1',
    '127.8.9.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
  ];

  it.each(loopbacks)('reaches %s where the server is on this machine, in plain text too (SEC-02, SEC-03)', (host) => {
    for (const server of [local, 'http://127.0.0.1/mcp', 'https://[::1]/mcp', 'http://mcp.localhost/mcp'])
      for (const scheme of ['http', 'https']) expect(problem(`${scheme}://${host}:9000/`, server)).toBeUndefined();
    for (const scheme of ['http', 'https']) {
      expect(problem(`${scheme}://${host}:9000/`)).toMatch(/this machine/);
      expect(problem(`${scheme}://${host}:9000/`, 'https://10.0.0.1/mcp')).toMatch(/this machine/);
      expect(problem(`${scheme}://${host}:9000/`, remote, ['127.0.0.0/8', '::1', 'localhost'])).toBeUndefined();
    }
  });

  it('reaches this machine through nobody else (SEC-03)', () => {
    const { urlProblem, addressProblem } = reachOf(local);
    expect(urlProblem(new URL('https://[64:ff9b::7f00:1]/'))).toBeDefined();
    expect(addressProblem('127.0.0.1', 'login.example')).toBeUndefined();
    expect(addressProblem('10.0.0.1', 'login.example')).toMatch(/a private address/);
  });

  it('has localhost stay on this machine, since it is let off https: (SEC-02)', () => {
    const { addressProblem } = reachOf(local);
    expect(addressProblem('::1', 'as.localhost')).toBeUndefined();
    expect(addressProblem('9.9.9.9', 'as.localhost')).toMatch(/not on this machine/);
  });

  it("trusts the server's own host, as its user named it", () => {
    const inside = reachOf('https://MCP.internal./mcp');
    expect(inside.urlProblem(new URL('https://mcp.internal:8443/.well-known/x'))).toBeUndefined();
    expect(inside.addressProblem('10.1.2.3', 'mcp.internal')).toBeUndefined();
    expect(inside.addressProblem('10.1.2.3', 'login.internal')).toMatch(/a private address/);
    expect(problem('https://10.1.2.3/', 'https://10.1.2.3/mcp')).toBeUndefined();
    expect(problem('https://10.1.2.4/', 'https://10.1.2.3/mcp')).toMatch(/a private address/);
  });

  it('trusts hosts and ranges that it is told of', () => {
    const { urlProblem, addressProblem } = reachOf(remote, [
      'Login.Internal',
      '10.1.0.0/16',
      'fd12::/16',
      '192.168.0.7',
    ]);
    expect(addressProblem('172.16.0.1', 'login.internal')).toBeUndefined();
    expect(addressProblem('172.16.0.1', 'other.internal')).toBeDefined();
    expect(addressProblem('10.1.2.3', 'other.internal')).toBeUndefined();
    expect(addressProblem('::ffff:10.1.2.3', 'other.internal')).toBeUndefined();
    expect(addressProblem('10.2.0.1', 'other.internal')).toBeDefined();
    expect(addressProblem('192.168.0.7', 'other.internal')).toBeUndefined();
    expect(addressProblem('192.168.0.8', 'other.internal')).toBeDefined();
    expect(urlProblem(new URL('https://10.1.2.3/'))).toBeUndefined();
    expect(urlProblem(new URL('https://[fd12::1]/'))).toBeUndefined();
    expect(urlProblem(new URL('https://[fd13::1]/'))).toBeDefined();
  });

  it.each([
    '',
    '10/8',
    '10.0.0.0/33',
    'https://login.internal',
    'login.internal:8443',
    'login.internal/x',
    'a b',
    'u@x',
  ])('does not guess whom %j means', (host) => expect(() => reachOf(remote, [host])).toThrow(Misconfigured));

  it('names the host and the rule, and nothing of path or query, which may be secret (SEC-08)', () => {
    expect(problem('https://10.0.0.1/secret?token=secret#secret')).toBe(
      '"10.0.0.1" is a private address, where a server must not send us unless trustedHosts names it',
    );
    expect(problem('http://login.example/secret')).toBe(
      'the URL at "login.example" is not https:, and http: is for this machine only',
    );
    expect(problem('data:secret')).toBe('a URL of "data:" is not for us: only https: is');
  });
});

describe('schemeProblem', () => {
  it('judges how a page is reached, not where it is (SEC-06)', () => {
    expect(schemeProblem(new URL('https://10.0.0.1/'))).toBeUndefined();
    expect(schemeProblem(new URL('http://127.0.0.1:9000/'))).toBeUndefined();
    expect(schemeProblem(new URL('http://login.example/'))).toBeDefined();
    expect(schemeProblem(new URL('javascript:alert(1)'))).toBeDefined();
  });
});
