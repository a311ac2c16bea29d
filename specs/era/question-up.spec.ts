import { describe, expect, it } from 'vitest';
import { downAnswer, questionProblem, upQuestion, urlRequired } from '../../lib/era/legacy/question-up.ts';
import { codes, ConnectionClosed, RpcError } from '../../lib/frame/errors.ts';
import type { JsonObject } from '../../lib/frame/frame.ts';
import { validator } from '../../lib/protocol/dated.ts';
import { urlElicitationRequired } from '../../lib/protocol/elicitation.ts';
import { InputRequest, InputRequiredResult } from '../../lib/protocol/input.ts';
import { extend, methods } from '../../lib/protocol/methods.ts';
import { latestRevision, legacyRevisions, within, type LegacyRevision } from '../../lib/protocol/revisions.ts';
import { Schema } from '../../lib/protocol/schema.ts';

const elicit = 'elicitation/create';
const sample = 'sampling/createMessage';
const roots = 'roots/list';
const everything = { elicitation: { form: {}, url: {} }, sampling: { tools: {}, context: {} }, roots: {} };

const form = (properties: JsonObject = {}) => ({ message: 'm', requestedSchema: { type: 'object', properties } });
const url = { mode: 'url', message: 'm', url: 'https://example.com/' };
const text = { type: 'text', text: 'hello' };
const image = { type: 'image', data: '', mimeType: 'image/png' };
const audio = { type: 'audio', data: 'AA==', mimeType: 'audio/wav' };
const use = { type: 'tool_use', id: 'a', name: 'add', input: {} };
const result = { type: 'tool_result', toolUseId: 'a', content: [] };
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const asked = (messages: readonly unknown[], more: JsonObject = {}) => ({ messages, maxTokens: 1, ...more });

const request = (method: string, params?: JsonObject) => (params === undefined ? { method } : { method, params });

describe('what a server of an older revision asks, inside', () => {
  const _meta = { progressToken: 1, 'io.modelcontextprotocol/related-task': { taskId: 't' }, traceparent: 'x' };

  it.each<[string, JsonObject | undefined, JsonObject | undefined]>([
    [elicit, { ...form(), mode: 'form' }, { ...form(), mode: 'form' }],
    [elicit, { ...form(), _meta, task: { ttl: 1 } }, form()],
    [elicit, { ...url, elicitationId: 'e', _meta, task: {} }, url],
    [sample, asked([user(text)], { _meta, task: {} }), asked([user(text)])],
    [roots, undefined, undefined],
    [roots, {}, undefined],
    [roots, { _meta }, { _meta: { traceparent: 'x' } }],
    [roots, { _meta: { progressToken: 1 } }, undefined],
  ])('is without what only a request has: %s, %# (BR-27, BR-32)', (method, params, left) => {
    const question = upQuestion(request(method, params));
    expect(question).toEqual(request(method, left));
    expect(validator(InputRequest, latestRevision)(question)).toBeUndefined();
  });

  it('is without its envelope (AMB-11, MRTR-05)', () => {
    const framed = { jsonrpc: '2.0', id: 7, method: roots };
    expect(upQuestion(framed)).toEqual({ method: roots });
  });

  it('keeps what blocks say to programs, and drops what tools no longer have (SAMP-19, BR-36)', () => {
    const tool = { name: 'add', inputSchema: { type: 'object' } };
    const cached = { ...use, _meta: { cache: 1 } };
    const params = asked([assistant(cached), user([result])], { tools: [tool] });
    const old = { ...params, tools: [{ ...tool, execution: { taskSupport: 'optional' } }] };
    expect(upQuestion({ method: sample, params: old })).toEqual({ method: sample, params });
  });

  it('keeps names beside an enum (BR-67, ELI-08)', () => {
    const params = form({ a: { type: 'string', enum: ['x'], enumNames: ['X'] } });
    expect(upQuestion({ method: elicit, params })).toEqual({ method: elicit, params });
  });
});

describe('what a server of an older revision may ask', () => {
  const admitted: readonly (readonly [string, JsonObject | undefined, LegacyRevision, JsonObject])[] = [
    ...legacyRevisions.flatMap((revision) => [
      [roots, undefined, revision, { roots: {} }] as const,
      [roots, {}, revision, { roots: { listChanged: true } }] as const,
      [sample, asked([user(text), assistant(image)]), revision, { sampling: {} }] as const,
    ]),
    [elicit, form(), '2025-06-18', { elicitation: {} }],
    [elicit, form(), '2025-06-18', everything],
    [elicit, form(), '2025-11-25', { elicitation: {} }],
    [elicit, { ...form(), mode: 'form' }, '2025-11-25', { elicitation: { form: {} } }],
    [elicit, { ...url, elicitationId: 'e' }, '2025-11-25', { elicitation: { url: {} } }],
    [elicit, form({ a: { type: 'string', pattern: '^a' } }), '2025-11-25', everything],
    [elicit, form({ a: { type: 'string', enum: ['x'], enumNames: ['X'] } }), '2025-06-18', everything],
    [sample, asked([], { tools: [], toolChoice: { mode: 'none' } }), '2025-11-25', { sampling: { tools: {} } }],
    [sample, asked([assistant(use), user([result])]), '2025-11-25', { sampling: {} }],
    [sample, asked([], { includeContext: 'allServers', metadata: { any: 1 } }), '2025-11-25', { sampling: {} }],
  ];
  it.each(admitted)('is asked: %s, %# (ELI-04, AMB-34)', (method, params, revision, declared) => {
    expect(questionProblem(request(method, params), revision, declared, methods)).toBeUndefined();
  });

  const refused: readonly (readonly [
    rule: string,
    string,
    JsonObject | undefined,
    LegacyRevision,
    JsonObject,
    number,
    string,
  ])[] = [
    ...legacyRevisions.flatMap((revision) => [
      ['ROOT-05', roots, undefined, revision, {}, codes.methodNotFound, 'needs the capability roots'] as const,
      ['SAMP-01', sample, asked([]), revision, {}, codes.methodNotFound, 'needs the capability sampling'] as const,
      ['RPC', sample, undefined, revision, everything, codes.invalidParams, 'messages is missing'] as const,
      ['RPC', sample, { messages: [] }, revision, everything, codes.invalidParams, 'maxTokens is missing'] as const,
      ['RPC', roots, { _meta: 3 }, revision, everything, codes.invalidParams, '_meta must be an object'] as const,
      [
        'SAMP-12',
        sample,
        asked([{ role: 'system', content: text }]),
        revision,
        everything,
        codes.invalidParams,
        'messages[0].role must be',
      ] as const,
      [
        'no question',
        'tools/call',
        { name: 'a' },
        revision,
        everything,
        codes.methodNotFound,
        'method not found',
      ] as const,
      [
        'no question',
        'tasks/list',
        {},
        revision,
        { tasks: { list: {} } },
        codes.methodNotFound,
        'method not found',
      ] as const,
      ['no question', 'toString', {}, revision, everything, codes.methodNotFound, 'method not found'] as const,
    ]),
    ['matrix 1', elicit, form(), '2024-11-05', everything, codes.methodNotFound, 'method not found'],
    ['matrix 1', elicit, form(), '2025-03-26', everything, codes.methodNotFound, 'method not found'],
    [
      'ELI-01',
      elicit,
      form(),
      '2025-06-18',
      { sampling: {} },
      codes.methodNotFound,
      'needs the capability elicitation,',
    ],
    [
      'ELI-21',
      elicit,
      { ...url, elicitationId: 'e' },
      '2025-11-25',
      { elicitation: {} },
      codes.invalidParams,
      'mode "url" needs the capability elicitation.url',
    ],
    [
      'ELI-21',
      elicit,
      form(),
      '2025-11-25',
      { elicitation: { url: {} } },
      codes.invalidParams,
      'mode "form" needs the capability elicitation.form',
    ],
    [
      'ELI-21',
      elicit,
      form(),
      '2025-06-18',
      { elicitation: { url: {} } },
      codes.invalidParams,
      'mode "form" needs the capability elicitation.form',
    ],
    [
      'BR-66',
      elicit,
      { ...form(), ...url },
      '2025-06-18',
      everything,
      codes.invalidParams,
      'mode "url" does not exist at revision 2025-06-18',
    ],
    ['ELI-12', elicit, url, '2025-11-25', everything, codes.invalidParams, 'elicitationId is missing'],
    ['ELI-03', elicit, { ...form(), mode: 'fax' }, '2025-11-25', everything, codes.invalidParams, 'must be'],
    [
      'ELI-05',
      elicit,
      form({ a: { type: 'object' } }),
      '2025-11-25',
      everything,
      codes.invalidParams,
      'requestedSchema.properties.a must be',
    ],
    [
      'BR-67',
      elicit,
      form({ a: { type: 'array', items: { type: 'string', enum: [] } } }),
      '2025-06-18',
      everything,
      codes.invalidParams,
      'requestedSchema.properties.a must be',
    ],
    [
      'SAMP-05',
      sample,
      asked([], { tools: [] }),
      '2025-11-25',
      { sampling: {} },
      codes.invalidParams,
      'tools needs the capability sampling.tools',
    ],
    [
      'SAMP-05',
      sample,
      asked([], { toolChoice: {} }),
      '2025-11-25',
      { sampling: {} },
      codes.invalidParams,
      'toolChoice needs the capability sampling.tools',
    ],
    [
      'BR-61',
      sample,
      asked([], { tools: [] }),
      '2025-06-18',
      everything,
      codes.invalidParams,
      'tools does not exist at revision 2025-06-18',
    ],
    [
      'BR-60',
      sample,
      asked([user([text])]),
      '2025-06-18',
      everything,
      codes.invalidParams,
      'messages[0].content must be an object',
    ],
    [
      'BR-60',
      sample,
      asked([assistant(use), user(result)]),
      '2025-06-18',
      everything,
      codes.invalidParams,
      'messages[0].content.type must be',
    ],
    [
      'BR-51',
      sample,
      asked([user(audio)]),
      '2024-11-05',
      everything,
      codes.invalidParams,
      'messages[0].content.type must be',
    ],
    [
      'SAMP-16',
      sample,
      asked([assistant(use)]),
      '2025-11-25',
      everything,
      codes.invalidParams,
      'messages[0] has the tool_use "a"',
    ],
    [
      'SAMP-16',
      sample,
      asked([assistant(use), user([result, text])]),
      '2025-11-25',
      everything,
      codes.invalidParams,
      'messages[1] has a tool_result beside something else',
    ],
    [
      'SAMP-15',
      sample,
      asked([user([result])]),
      '2025-11-25',
      everything,
      codes.invalidParams,
      'messages[0] has a tool_result for "a"',
    ],
  ];
  it.each(refused)('is not asked (%s): %s, %#', (_rule, method, params, revision, declared, code, words) => {
    const problem = questionProblem(request(method, params), revision, declared, methods);
    expect(problem).toBeInstanceOf(RpcError);
    expect(problem).toMatchObject({ code, message: expect.stringContaining(words) });
    if (code === codes.invalidParams) expect(problem?.message.startsWith(`${method}: `)).toBe(true);
  });

  it('is what the table says', () => {
    const row = {
      kind: 'request',
      from: 'server',
      until: '2025-11-25',
      params: Schema.Struct({ a: Schema.String }),
      embedded: true,
    } as const;
    const table = extend(methods, { 'com.example/ask': row });
    const problem = (params: JsonObject) =>
      questionProblem({ method: 'com.example/ask', params }, '2025-11-25', {}, table);
    expect(problem({ a: 'x' })).toBeUndefined();
    expect(problem({})).toMatchObject({ code: codes.invalidParams, message: 'com.example/ask: a is missing' });
  });
});

describe('our answer to a server of an older revision', () => {
  const model = (content: unknown) => ({ role: 'assistant', content, model: 'm', stopReason: 'endTurn' });

  it.each(legacyRevisions)('is without what it does not know: %s (BR-03, BR-05, BR-54)', (revision) => {
    const root = { uri: 'file:///a', name: 'a' };
    const dressed = {
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': {}, traceparent: 'x' },
      roots: [{ ...root, _meta: { a: 1 } }],
    };
    expect(downAnswer(roots, dressed, revision)).toEqual({
      roots: [within(revision, '2025-06-18') ? { ...root, _meta: { a: 1 } } : root],
      _meta: { traceparent: 'x' },
    });
    expect(downAnswer(sample, { ...model(text), resultType: 'complete', _meta: {} }, revision)).toEqual(model(text));
  });

  it('has lists in a form at 2025-11-25 only (BR-69)', () => {
    const plain = { action: 'accept', content: { a: 'x', b: 1.5, c: false } };
    const chosen = { action: 'accept', content: { a: 'x', tags: ['x'] } };
    for (const revision of ['2025-06-18', '2025-11-25'] as const) {
      expect(downAnswer(elicit, plain, revision)).toEqual(plain);
      expect(downAnswer(elicit, { action: 'decline' }, revision)).toEqual({ action: 'decline' });
    }
    expect(downAnswer(elicit, chosen, '2025-11-25')).toEqual(chosen);
    expect(() => downAnswer(elicit, chosen, '2025-06-18')).toThrow(
      expect.objectContaining({
        code: codes.internalError,
        message:
          'the answer to elicitation/create does not fit revision 2025-06-18: content.tags must be a string or a number or a boolean',
      }),
    );
  });

  it.each<[string, readonly unknown[], unknown]>([
    ['one', [image], image],
    ['texts', [text, { ...text, _meta: { a: 1 } }], { type: 'text', text: 'hello\nhello' }],
    ['nothing', [], { type: 'text', text: '' }],
  ])('has one block until 2025-06-18: %s (BR-60)', (_what, blocks, single) => {
    for (const revision of legacyRevisions)
      expect(downAnswer(sample, model(blocks), revision)).toEqual(
        within(revision, '2025-11-25') ? model(blocks) : model(single),
      );
  });

  it('says in words that there was audio, at 2024-11-05 (BR-51)', () => {
    const words = { type: 'text', text: 'Audio left out (audio/wav)' };
    expect(downAnswer(sample, model(audio), '2024-11-05')).toEqual(model(words));
    expect(downAnswer(sample, model([audio]), '2024-11-05')).toEqual(model(words));
    expect(downAnswer(sample, model([audio]), '2025-03-26')).toEqual(model(audio));
  });

  it.each<[string, string, JsonObject, LegacyRevision, string]>([
    ['BR-60', sample, model([text, image]), '2025-06-18', 'content must be an object'],
    ['BR-61', sample, model(use), '2025-06-18', 'content.type must be "text" or "image" or "audio"'],
    ['BR-61', sample, model([use]), '2024-11-05', 'content.type must be "text" or "image"'],
    ['SAMP-12', sample, { ...model(text), role: 'system' }, '2025-11-25', 'role must be "user" or "assistant"'],
    ['ELI-11', elicit, { action: 'perhaps' }, '2025-11-25', 'action must be "accept" or "decline" or "cancel"'],
    ['ROOT', roots, {}, '2024-11-05', 'roots is missing'],
  ])('is refused where the revision has no words for it (%s): %s, %#', (_rule, method, answer, revision, flaw) => {
    expect(() => downAnswer(method, answer, revision)).toThrow(
      expect.objectContaining({
        code: codes.internalError,
        message: `the answer to ${method} does not fit revision ${revision}: ${flaw}`,
      }),
    );
  });

  it.each<[string, LegacyRevision]>([
    [elicit, '2025-03-26'],
    ['tools/call', '2025-11-25'],
  ])('is none where nothing was asked: %s at %s', (method, revision) => {
    expect(() => downAnswer(method, { action: 'accept' }, revision)).toThrow(
      expect.objectContaining({ code: codes.methodNotFound }),
    );
  });

  it('does not touch what it was given', () => {
    const answer = { ...model([text, text]), resultType: 'complete', _meta: { a: 1 } };
    const before = structuredClone(answer);
    for (const revision of legacyRevisions) downAnswer(sample, answer, revision);
    expect(answer).toEqual(before);
  });
});

describe('the error that wants a page visited first', () => {
  const page = (elicitationId: string) => ({ ...url, elicitationId });
  const failed = (data: unknown, code: number = urlElicitationRequired) => new RpcError({ code, message: 'm', data });

  it('is a question for each page, under a key of its own (BR-33, MRTR-06)', () => {
    const elicitations = [page('__proto__'), { ...page('same'), _meta: { a: 1 } }, page('same')];
    const wanted = urlRequired(failed({ elicitations }));
    expect(wanted?.ids).toEqual(['__proto__', 'same', 'same']);
    expect(Object.values(wanted?.inputRequests ?? {})).toEqual(Array(3).fill({ method: elicit, params: url }));
    const answer = { resultType: 'input_required', inputRequests: wanted?.inputRequests };
    expect(validator(InputRequiredResult, latestRevision)(answer)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['another code', failed({ elicitations: [page('a')] }, codes.invalidParams)],
    ['no JSON-RPC error', new ConnectionClosed({ message: 'gone' })],
    ['nothing', undefined],
    ['no data', failed(undefined)],
    ['no list', failed({ elicitations: page('a') })],
    ['an empty list', failed({ elicitations: [] })],
    ['a form (ELI-19)', failed({ elicitations: [page('a'), form()] })],
    ['no id (ELI-19)', failed({ elicitations: [url] })],
    ['no object', failed({ elicitations: [null] })],
  ])('is any other where it is not that: %s', (_what, error) => {
    expect(urlRequired(error)).toBeUndefined();
  });
});
