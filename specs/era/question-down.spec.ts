import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { downQuestion, upAnswer, upRefusal } from '../../lib/era/legacy/question-down.ts';
import { codes, ConnectionClosed, InvalidAnswer, RpcError } from '../../lib/frame/errors.ts';
import type { JsonObject } from '../../lib/frame/frame.ts';
import { validator } from '../../lib/protocol/dated.ts';
import { methods } from '../../lib/protocol/methods.ts';
import { legacyRevisions, within, type LegacyRevision } from '../../lib/protocol/revisions.ts';

const elicit = 'elicitation/create';
const sample = 'sampling/createMessage';
const roots = 'roots/list';
type Asking = typeof elicit | typeof sample | typeof roots;

const everything = { elicitation: { form: {}, url: {} }, sampling: { tools: {}, context: {} }, roots: {} };

const down = (
  method: string,
  params: JsonObject | undefined,
  revision: LegacyRevision,
  capabilities: JsonObject = everything,
) => downQuestion(params === undefined ? { method } : { method, params }, revision, capabilities, () => 'minted');

const thrownBy = (work: () => unknown): unknown => {
  try {
    return { returned: work() };
  } catch (error) {
    return error;
  }
};

const lacks = (requiredCapabilities: JsonObject, ...words: readonly string[]) =>
  expect.objectContaining({
    _tag: 'RpcError',
    code: codes.missingClientCapability,
    message: expect.stringMatching(words.map((word) => `(?=.*${word.replaceAll('.', '\\.')})`).join('')),
    data: { requiredCapabilities },
  });

const form = (properties: JsonObject, more: JsonObject = {}) => ({
  message: 'm',
  requestedSchema: { type: 'object', properties, ...more },
});
const url = { mode: 'url', message: 'm', url: 'https://example.com/' };
const text = { type: 'text', text: 'hello' };
const image = { type: 'image', data: '', mimeType: 'image/png' };
const audio = { type: 'audio', data: 'AA==', mimeType: 'audio/wav' };
const use = { type: 'tool_use', id: 'a', name: 'add', input: {} };
const result = { type: 'tool_result', toolUseId: 'a', content: [] };
const user = (content: unknown, more: JsonObject = {}) => ({ role: 'user', content, ...more });
const asked = (messages: readonly unknown[], more: JsonObject = {}) => ({ messages, maxTokens: 1, ...more });
const called = [user(text), { role: 'assistant', content: use }, user([result])];

describe('a question to a client of an older revision', () => {
  const missing: readonly (readonly [
    rule: string,
    Asking,
    JsonObject | undefined,
    LegacyRevision,
    JsonObject,
    JsonObject,
    string,
  ])[] = [
    ['BR-65', elicit, form({}), '2024-11-05', everything, { elicitation: { form: {} } }, 'elicitation.form'],
    ['BR-65', elicit, form({}), '2025-03-26', everything, { elicitation: { form: {} } }, 'elicitation.form'],
    ['MRTR-07', elicit, form({}), '2025-06-18', {}, { elicitation: { form: {} } }, 'elicitation.form'],
    [
      'ELI-02',
      elicit,
      form({}),
      '2025-11-25',
      { elicitation: { url: {} } },
      { elicitation: { form: {} } },
      'elicitation.form',
    ],
    ['ELI-02', elicit, url, '2025-11-25', { elicitation: {} }, { elicitation: { url: {} } }, 'elicitation.url'],
    [
      'ELI-02',
      elicit,
      url,
      '2025-11-25',
      { elicitation: { form: {} } },
      { elicitation: { url: {} } },
      'elicitation.url',
    ],
    ['BR-66', elicit, url, '2025-06-18', everything, { elicitation: { url: {} } }, 'elicitation.url'],
    ['BR-66', elicit, url, '2024-11-05', everything, { elicitation: { url: {} } }, 'elicitation.url'],
    [
      'BR-67',
      elicit,
      form({ a: { type: 'string' }, tags: { type: 'array', items: { type: 'string', enum: ['x'] } } }),
      '2025-06-18',
      everything,
      { elicitation: { form: {} } },
      'tags',
    ],
    [
      'BR-67',
      elicit,
      form({ tags: { type: 'array', items: { anyOf: [{ const: 'x', title: 'X' }] } } }),
      '2025-06-18',
      everything,
      { elicitation: { form: {} } },
      'tags',
    ],
    ['SAMP-01', sample, asked([]), '2024-11-05', { roots: {} }, { sampling: {} }, 'sampling'],
    ['SAMP-01', sample, asked([]), '2025-11-25', { roots: {} }, { sampling: {} }, 'sampling'],
    ['SAMP-04', sample, asked([], { tools: [] }), '2025-11-25', { sampling: {} }, { sampling: { tools: {} } }, 'tools'],
    [
      'BR-62',
      sample,
      asked([], { toolChoice: {} }),
      '2025-11-25',
      { sampling: {} },
      { sampling: { tools: {} } },
      'toolChoice',
    ],
    ['SAMP-04', sample, asked([], { tools: [] }), '2025-11-25', {}, { sampling: { tools: {} } }, 'tools'],
    ...(['2024-11-05', '2025-03-26', '2025-06-18'] as const).flatMap((revision) => [
      ['BR-61', sample, asked([], { tools: [] }), revision, everything, { sampling: { tools: {} } }, 'tools'] as const,
      [
        'BR-61',
        sample,
        asked([], { toolChoice: {} }),
        revision,
        everything,
        { sampling: { tools: {} } },
        'toolChoice',
      ] as const,
      ['BR-60', sample, asked(called), revision, everything, { sampling: { tools: {} } }, 'tool_use'] as const,
    ]),
    ['ROOT-08', roots, undefined, '2024-11-05', { sampling: {} }, { roots: {} }, 'roots'],
    ['ROOT-08', roots, {}, '2025-11-25', {}, { roots: {} }, 'roots'],
  ];

  it.each(missing)(
    'is refused by name where the client cannot take it (%s, %#)',
    (_rule, method, params, revision, capabilities, data, word) => {
      const error = thrownBy(() => down(method, params, revision, capabilities));
      expect(error).toEqual(lacks(data, method, word, revision));
    },
  );

  it('says which of the two it is: the revision, or the capability', () => {
    expect(thrownBy(() => down(elicit, url, '2025-06-18'))).toHaveProperty(
      'message',
      'elicitation/create: a page to visit needs the capability elicitation.url, which came with revision 2025-11-25; the client speaks 2025-06-18',
    );
    expect(thrownBy(() => down(elicit, url, '2025-11-25', { elicitation: {} }))).toHaveProperty(
      'message',
      'elicitation/create: a page to visit needs the capability elicitation.url, which the client, at revision 2025-11-25, did not declare',
    );
  });

  it.each<[string, LegacyRevision, JsonObject]>([
    ['empty', '2025-06-18', { elicitation: {} }],
    ['empty', '2025-11-25', { elicitation: {} }],
    ['form', '2025-11-25', { elicitation: { form: {} } }],
    ['both', '2025-06-18', everything],
  ])('may be a form where elicitation is declared: %s (BR-65)', (_how, revision, capabilities) => {
    expect(down(elicit, form({}), revision, capabilities)).toEqual({ method: elicit, params: form({}) });
  });

  it('goes in its own words (BR-66, BR-67, BR-68, BR-70)', () => {
    const full = {
      mode: 'form',
      ...form(
        {
          name: { type: 'string', title: 'Name', default: 'x', pattern: 'x' },
          sure: { type: 'boolean', default: true },
          age: { type: 'integer', default: 1 },
          size: { type: 'string', oneOf: [{ const: 's', title: 'Small' }], default: 's' },
          colour: { type: 'string', enum: ['red'], default: 'red' },
          shape: { type: 'string', enum: ['round'], enumNames: ['Round'], default: 'round' },
        },
        { $schema: 'https://json-schema.org/draft/2020-12/schema', required: ['name'] },
      ),
    };
    expect(down(elicit, full, '2025-11-25')).toEqual({ method: elicit, params: full });
    expect(down(elicit, full, '2025-06-18').params).toEqual(
      form(
        {
          name: { type: 'string', title: 'Name', pattern: 'x' },
          sure: { type: 'boolean', default: true },
          age: { type: 'integer' },
          size: { type: 'string', enum: ['s'], enumNames: ['Small'] },
          colour: { type: 'string', enum: ['red'] },
          shape: { type: 'string', enum: ['round'], enumNames: ['Round'] },
        },
        { required: ['name'] },
      ),
    );
  });

  it('may be one of several choices at 2025-11-25 (BR-67)', () => {
    const params = form({ tags: { type: 'array', items: { type: 'string', enum: ['x'] }, default: ['x'] } });
    expect(down(elicit, params, '2025-11-25')).toEqual({ method: elicit, params });
  });

  it('gets an id of its own where it is a page to visit, and only there (BR-32)', () => {
    let minted = 0;
    const mint = () => `id-${(minted += 1)}`;
    const params = { ...url, elicitationId: 'not ours' };
    const ids = [1, 2].map(() => downQuestion({ method: elicit, params }, '2025-11-25', everything, mint).params);
    expect(ids).toEqual([
      { ...url, elicitationId: 'id-1' },
      { ...url, elicitationId: 'id-2' },
    ]);
    downQuestion({ method: elicit, params: form({}) }, '2025-11-25', everything, mint);
    downQuestion({ method: roots }, '2025-11-25', everything, mint);
    thrownBy(() => downQuestion({ method: elicit, params: url }, '2025-06-18', everything, mint));
    thrownBy(() => downQuestion({ method: elicit, params: url }, '2025-11-25', {}, mint));
    expect(minted).toBe(2);
  });

  it.each(legacyRevisions)('has one block in each message until 2025-06-18: %s (BR-60, BR-64)', (revision) => {
    const _meta = { 'com.example/x': 1 };
    const params = asked([
      user([text, image], { _meta }),
      { role: 'assistant', content: [image, text] },
      user([]),
      user([text]),
    ]);
    const messages = within(revision, '2025-11-25')
      ? params.messages
      : [
          user(text),
          user(image),
          { role: 'assistant', content: image },
          { role: 'assistant', content: text },
          user(text),
        ];
    expect(down(sample, params, revision)).toEqual({ method: sample, params: { ...params, messages } });
  });

  it.each(legacyRevisions)('says in words that there was audio, at 2024-11-05: %s (BR-51)', (revision) => {
    const said = revision === '2024-11-05' ? { type: 'text', text: 'Audio left out (audio/wav)' } : audio;
    const several = within(revision, '2025-11-25') ? [user([text, audio])] : [user(text), user(said)];
    expect(down(sample, asked([user(audio), user([text, audio])]), revision).params).toEqual(
      asked([user(said), ...several]),
    );
  });

  it('has tools at 2025-11-25, for a client that takes them (SAMP-04, BR-49)', () => {
    const tools = [{ name: 'add', inputSchema: { type: 'object' } }];
    const params = asked(called, { tools, toolChoice: { mode: 'auto' } });
    expect(down(sample, params, '2025-11-25').params).toEqual(params);
    const structured = (structuredContent: unknown) => asked([called[1], user([{ ...result, structuredContent }])]);
    expect(down(sample, structured({ a: 1 }), '2025-11-25').params).toEqual(structured({ a: 1 }));
    expect(down(sample, structured([1]), '2025-11-25').params).toEqual(asked([called[1], user([result])]));
  });

  it('may speak of earlier tool calls at 2025-11-25 to a client that takes no tools (SAMP-04)', () => {
    expect(down(sample, asked(called), '2025-11-25', { sampling: {} }).params).toEqual(asked(called));
  });

  it.each<[LegacyRevision, JsonObject, boolean]>([
    ['2024-11-05', {}, true],
    ['2025-06-18', {}, true],
    ['2025-11-25', {}, false],
    ['2025-11-25', { tools: {} }, false],
    ['2025-11-25', { context: {} }, true],
  ])('includes context at %s with sampling %j: %s (BR-63, SAMP-06)', (revision, sampling, included) => {
    const params = asked([user(text)], { includeContext: 'thisServer' });
    expect(down(sample, params, revision, { sampling }).params).toEqual(included ? params : asked([user(text)]));
  });

  it.each(legacyRevisions)('says nothing of a 2026-07-28 envelope: %s (BR-05, BR-27)', (revision) => {
    const _meta = { 'io.modelcontextprotocol/clientInfo': {}, traceparent: 'x' };
    expect(down(roots, { _meta }, revision)).toEqual({ method: roots, params: { _meta: { traceparent: 'x' } } });
    expect(down(roots, undefined, revision)).toEqual({ method: roots });
    expect(down(roots, { _meta: { 'io.modelcontextprotocol/clientInfo': {} } }, revision)).toEqual({ method: roots });
    expect(down(sample, asked([], { _meta }), revision).params).toEqual(asked([], { _meta: { traceparent: 'x' } }));
  });

  it.each<[string, string, JsonObject | undefined, string]>([
    ['no method of asking', 'tools/call', { name: 'a' }, '"tools/call" is no question for a client'],
    ['a name that any object has', 'constructor', {}, '"constructor" is no question for a client'],
    ['no message', elicit, { mode: 'form' }, 'the question elicitation/create is not valid: message is missing'],
    [
      'a form within a form (ELI-05)',
      elicit,
      form({ a: { type: 'object' } }),
      'the question elicitation/create is not valid: requestedSchema.properties.a must be an object',
    ],
    ['no params at all', sample, undefined, 'the question sampling/createMessage is not valid: messages is missing'],
    [
      'a call without its result (SAMP-14)',
      sample,
      asked(called.slice(0, 2)),
      'the question sampling/createMessage is not valid: messages[1] has the tool_use "a", for which the next message has no tool_result',
    ],
  ])('is the server’s own fault where it is none: %s', (_what, method, params, message) => {
    for (const revision of legacyRevisions)
      expect(thrownBy(() => down(method, params, revision))).toMatchObject({ code: codes.internalError, message });
  });

  it('does not touch what it was given', () => {
    const params = asked([user([text, audio], { _meta: {} })], { includeContext: 'none', _meta: { a: 1 } });
    const before = structuredClone(params);
    for (const revision of legacyRevisions) down(sample, params, revision, { sampling: {} });
    expect(params).toEqual(before);
  });

  const block = fc.constantFrom(
    text,
    image,
    { ...audio, _meta: { a: 1 } },
    { ...text, annotations: { lastModified: 'x' } },
  );
  const message = fc.record({
    role: fc.constantFrom('user', 'assistant'),
    content: fc.oneof(block, fc.array(block, { maxLength: 3 })),
  });
  const field = fc.constantFrom<JsonObject>(
    { type: 'string', default: 'x', format: 'email' },
    { type: 'number', default: 1.5 },
    { type: 'boolean', default: false },
    { type: 'string', enum: ['x'], default: 'x' },
    { type: 'string', oneOf: [{ const: 'x', title: 'X' }] },
    { type: 'string', enum: ['x'], enumNames: ['X'] },
    { type: 'array', items: { type: 'string', enum: ['x'] } },
    { type: 'array', items: { anyOf: [] }, default: [] },
  );
  const question = fc.oneof(
    fc.record({ method: fc.constant(roots) }),
    fc.record({
      method: fc.constant(elicit),
      params: fc.oneof(
        fc.constant(url),
        fc.dictionary(fc.string(), field).map((fields) => form(fields)),
      ),
    }),
    fc.record({
      method: fc.constant(sample),
      params: fc.record(
        {
          messages: fc.oneof(fc.array(message), fc.constant(called)),
          maxTokens: fc.integer(),
          tools: fc.constant([
            { name: 'a', title: 'A', inputSchema: { type: 'object' }, outputSchema: { type: 'array' } },
          ]),
          toolChoice: fc.constant({ mode: 'none' }),
          includeContext: fc.constantFrom('none', 'allServers'),
        },
        { requiredKeys: ['messages', 'maxTokens'] },
      ),
    }),
  );
  const part = fc.constantFrom(undefined, {});
  const capabilities = fc.record({
    elicitation: fc.option(fc.record({ form: part, url: part }), { nil: undefined }),
    sampling: fc.option(fc.record({ tools: part, context: part }), { nil: undefined }),
    roots: part,
  });

  it('is refused, or is what the revision has', () => {
    const seen = { refused: 0, asked: 0 };
    fc.assert(
      fc.property(
        question,
        fc.constantFrom(...legacyRevisions),
        capabilities,
        (one: { method: Asking; params?: JsonObject }, revision, declared) => {
          const row = methods[one.method];
          const outcome = thrownBy(() => down(one.method, one.params, revision, declared));
          if (outcome instanceof RpcError) {
            seen.refused += 1;
            expect(outcome.code).toBe(codes.missingClientCapability);
          } else {
            seen.asked += 1;
            const { returned } = outcome as { returned: { method: string; params?: JsonObject } };
            expect(validator(row.params, revision)(returned.params ?? {})).toBeUndefined();
            if (one.method === elicit) expect(within(revision, '2025-06-18')).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(Math.min(seen.refused, seen.asked)).toBeGreaterThan(50);
  });
});

describe('an answer of a client of an older revision', () => {
  const bare: Readonly<Record<Asking, JsonObject>> = {
    [elicit]: { action: 'accept', content: { a: 'x', b: 3.5, c: true } },
    [sample]: { role: 'assistant', content: text, model: 'm', stopReason: 'somehow' },
    [roots]: { roots: [{ uri: 'file:///a', _meta: { 'com.example/x': 1 } }] },
  };
  const answers = Object.entries(bare);

  it.each(answers)('is bare: %s (BR-28, MRTR-19)', (method, answer) => {
    for (const revision of legacyRevisions) {
      expect(upAnswer(method, answer, revision)).toEqual(answer);
      const dressed = { ...answer, _meta: { 'com.example/x': 1 }, resultType: 'complete' };
      expect(upAnswer(method, dressed, revision)).toEqual(answer);
    }
  });

  it.each<[JsonObject, JsonObject]>([
    [{ action: 'cancel', content: null }, { action: 'cancel' }],
    [{ action: 'decline', content: { a: 'typed before' } }, { action: 'decline' }],
    [{ action: 'accept', content: null }, { action: 'accept' }],
    [{ action: 'accept' }, { action: 'accept' }],
    [
      { action: 'accept', content: {} },
      { action: 'accept', content: {} },
    ],
  ])('has content only where a form was accepted: %j (ELI-11)', (answer, left) => {
    expect(upAnswer(elicit, answer, '2025-06-18')).toEqual(left);
    expect(upAnswer(elicit, answer, '2025-11-25')).toEqual(left);
  });

  const several = { role: 'assistant', content: [text, use], model: 'm' };
  it('may have several blocks and several values at 2025-11-25', () => {
    expect(upAnswer(sample, several, '2025-11-25')).toEqual(several);
    const chosen = { action: 'accept', content: { tags: ['x'] } };
    expect(upAnswer(elicit, chosen, '2025-11-25')).toEqual(chosen);
  });

  it.each<[string, JsonObject, LegacyRevision, string]>([
    [elicit, {}, '2025-06-18', 'action is missing'],
    [elicit, { action: 'maybe' }, '2025-11-25', 'action must be "accept" or "decline" or "cancel"'],
    [
      elicit,
      { action: 'accept', content: { a: ['x'] } },
      '2025-06-18',
      'content.a must be a string or a number or a boolean',
    ],
    [elicit, { task: { taskId: 't' } }, '2025-11-25', 'action is missing'],
    [sample, several, '2025-06-18', 'content must be an object'],
    [sample, { ...several, content: use }, '2025-06-18', 'content.type must be "text" or "image" or "audio"'],
    [sample, { ...several, content: audio }, '2024-11-05', 'content.type must be "text" or "image"'],
    [roots, {}, '2024-11-05', 'roots is missing'],
    [roots, { roots: [{ name: 'a' }] }, '2025-11-25', 'roots[0].uri is missing'],
    ['tools/call', {}, '2025-11-25', 'content is missing'],
    ['mine', {}, '2025-11-25', 'nothing can answer that'],
  ])('is not taken where it is none: %s, %#', (method, answer, revision, flaw) => {
    const error = thrownBy(() => upAnswer(method, answer, revision));
    expect(error).toBeInstanceOf(InvalidAnswer);
    expect(error).toMatchObject({ method, message: `the answer to ${method} is not valid: ${flaw}` });
  });

  const refusals = [
    new RpcError({ code: -1, message: 'User rejected', data: { why: 'no' } }),
    new RpcError({ code: codes.methodNotFound, message: 'Method not found' }),
    new RpcError({ code: codes.invalidParams, message: 'two\nlines' }),
  ];

  it.each(refusals)('is a cancelled form where the client refuses with $code (BR-29, ELI-22)', (refusal) => {
    expect(upRefusal(elicit, refusal)).toEqual({ action: 'cancel' });
  });

  it.each(refusals)('fails the call where the client refuses with $code (BR-29, ROOT-10)', (refusal) => {
    const { code, message } = refusal;
    const error = refusal.data === undefined ? { code, message } : { code, message, data: refusal.data };
    for (const method of [sample, roots])
      expect(thrownBy(() => upRefusal(method, refusal))).toMatchObject({
        _tag: 'RpcError',
        code: codes.internalError,
        message: `the client refused ${method}: ${JSON.stringify(message)}`,
        data: { method, error },
      });
  });

  it('is nothing of the kind where the link broke', () => {
    const broken = new ConnectionClosed({ message: 'gone' });
    for (const method of [elicit, sample, roots]) expect(thrownBy(() => upRefusal(method, broken))).toBe(broken);
  });
});
