import { resource, tool } from 'rxmcp';
import { describe, expect, it } from 'vitest';
import { metaKeyProblem } from '../../lib/protocol/meta-key.ts';

describe('keys of _meta', () => {
  it.each(['name', 'com.example/name', 'com.example/', 'a-b.c1/x_y.z-1', 'tools.example.mcp/x'])(
    'accepts %s (META-02, META-03)',
    (key) => {
      expect(metaKeyProblem(key)).toBeUndefined();
    },
  );

  it.each(['', '/x', '1com/x', 'com-/x', 'com..example/x', 'com.example/-x', 'com.example/x.', 'a b', 'x'.repeat(300)])(
    'refuses %s',
    (key) => {
      expect(metaKeyProblem(key)).toMatch(/is no `_meta` key/);
    },
  );

  it.each(['io.modelcontextprotocol/x', 'dev.mcp/x', 'com.mcp.tools/x'])(
    'keeps the reserved prefix of %s for the protocol (META-05)',
    (key) => {
      expect(metaKeyProblem(key)).toMatch(/reserved/);
    },
  );

  it.each(['progressToken', 'traceparent', 'tracestate', 'baggage'])(
    'keeps the bare key %s for the protocol (META-07)',
    (key) => {
      expect(metaKeyProblem(key)).toMatch(/reserved/);
    },
  );

  it('is checked where a feature is written, naming the feature and the key', () => {
    expect(() => tool('t', { meta: { 'io.mcp/x': 1 } }, () => '')).toThrow(
      /tool "t": "io\.mcp\/x" has a prefix that is reserved/,
    );
    expect(() => resource('x://y', { meta: { '-': 1 } }, () => '')).toThrow(/resource "x:\/\/y": "-" is no/);
  });
});
