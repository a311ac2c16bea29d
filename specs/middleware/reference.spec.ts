/** What a request does is what its method names: a reference that somebody adds must not pass for it (GHSA-q382-vc8q-7jhj). */
import { describe, expect, it } from 'vitest';
import { codes, mergeServers, namespace, prompt, resource, restrict, server, tool, type Served } from 'rxmcp';
import { authorize } from 'rxmcp/auth';
import { ask } from './ask.ts';

const files = server(
  { name: 'files', version: '1' },
  tool('delete', {}, () => 'deleted'),
  prompt('review', {}, () => 'reviewed'),
  prompt('secret', {}, () => 'hush'),
  resource('file:///secret', { name: 'secret' }, () => 'hush'),
);
const unknown = [expect.objectContaining({ code: codes.invalidParams })];

const named = [
  ['tools/call', { name: 'delete' }],
  ['prompts/get', { name: 'secret' }],
] as const;
const harmless = [
  { type: 'ref/prompt', name: 'review' },
  { type: 'ref/prompt', name: 'files.review' },
  { type: 'ref/resource', uri: 'file:///log' },
];
const tries = named.flatMap(([method, params]) => harmless.map((ref) => [method, { ...params, ref }] as const));

describe('a reference beside a name', () => {
  it.each(tries)('does not get %s past a restriction: %j', (method, params) => {
    const careful = restrict({
      tools: (name) => name !== 'delete',
      prompts: (name) => name !== 'secret',
      resources: (uri) => uri !== 'file:///secret',
    })(files);
    expect(ask(careful, method, params).seen).toEqual(unknown);
    for (const ref of harmless)
      expect(ask(careful, 'resources/read', { uri: 'file:///secret', ref }).seen).toEqual(unknown);
  });

  it.each(tries)('does not stand in for the prefix of %s: %j', (method, params) => {
    expect(ask(namespace('files')(files), method, params).seen).toEqual(unknown);
    expect(ask(mergeServers({ name: 'all', version: '1' }, { files }), method, params).seen).toEqual(unknown);
  });

  it.each(tries)('does not get %s past the scopes that its full name needs: %j (AUTHS-07)', (method, params) => {
    const protect = authorize({
      resource: 'https://mcp.example/mcp',
      authorizationServers: ['https://auth.example'],
      verify: { verify: () => Promise.reject(new Error('nobody asks')) },
      scopes: { tools: { 'files.delete': ['delete'] }, prompts: { 'files.secret': ['secret'] } },
    });
    const access = { principal: 'ada', scopes: [], claims: {} };
    const wholes: readonly Served[] = [
      namespace('files')(files),
      mergeServers({ name: 'all', version: '1' }, { files }),
    ];
    for (const whole of wholes) expect(ask(protect(whole), method, params, { access }).seen).toEqual(unknown);
  });

  it('changes nothing of what it stands beside', () => {
    const [ref] = harmless;
    const seen = [
      expect.objectContaining({ result: expect.objectContaining({ content: expect.anything() }) }),
      'complete',
    ];
    for (const one of [namespace('files')(files), mergeServers({ name: 'all', version: '1' }, { files })])
      expect(ask(one, 'tools/call', { name: 'files.delete', ref }).seen).toEqual(seen);
    expect(ask(restrict({ prompts: () => false })(files), 'tools/call', { name: 'delete', ref }).seen).toEqual(seen);
  });
});
