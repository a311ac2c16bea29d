import { concat, NEVER, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { codes, ConnectionClosed, invalidParams, RpcError, type Exchange, type JsonObject, type Request } from 'rxmcp';
import { asking } from '../../lib/era/legacy/asking.ts';
import type { LegacyRevision } from '../../lib/protocol/revisions.ts';
import { everything, form } from './behind.ts';

const page = { mode: 'url', message: 'Log in', url: 'https://example.com' };
const context = { principal: 'ada' };

/** A peer that answers like this. */
const peer = (answers: Exchange, revision: LegacyRevision = '2025-11-25', capabilities: JsonObject = everything) => {
  const heard: (readonly [Request, unknown])[] = [];
  const told: unknown[] = [];
  const ask: Exchange = (request, with_) => {
    heard.push([request, with_]);
    return answers(request, with_);
  };
  const { answer, done } = asking({ revision, capabilities, ask, tell: (notice) => told.push(notice) }, context);
  const asked = (question: Request): unknown[] => {
    const seen: unknown[] = [];
    answer(question, 'key').subscribe({
      next: (one) => seen.push(one),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('complete'),
    });
    return seen;
  };
  return { heard, told, asked, done };
};

describe('a client of an older revision is asked', () => {
  it('on its own connection, as who it is; what it says meanwhile goes nowhere (BR-22, BR-26)', () => {
    const progress = { method: 'notifications/progress', params: { progress: 1 } };
    const { asked, heard } = peer(() => concat(of(progress, { result: { action: 'decline', _meta: {} } }), NEVER));
    expect(asked({ method: 'elicitation/create', params: form })).toEqual([{ action: 'decline' }, 'complete']);
    expect(heard).toEqual([[{ method: 'elicitation/create', params: form }, context]]);
  });

  it('and refuses: a form counts as put away, anything else fails the call (BR-29)', () => {
    const { asked } = peer(() => throwError(() => invalidParams('no')));
    expect(asked({ method: 'elicitation/create', params: form })).toEqual([{ action: 'cancel' }, 'complete']);
    expect(asked({ method: 'roots/list' })).toMatchObject([
      { code: codes.internalError, message: 'the client refused roots/list: "no"' },
    ]);
  });

  it('and is gone: that is no answer', () => {
    const { asked } = peer(() => throwError(() => new ConnectionClosed({ message: 'gone' })));
    expect(asked({ method: 'elicitation/create', params: form })).toEqual([expect.any(ConnectionClosed)]);
  });

  it('nothing that it did not declare, or that its revision has not: nothing is sent (BR-65, BR-73)', () => {
    const { heard, told, ...silent } = peer(() => NEVER, '2025-06-18');
    expect(() => silent.asked({ method: 'elicitation/create', params: page })).toThrow(RpcError);
    const undeclared = peer(() => NEVER, '2025-11-25', {});
    expect(() => undeclared.asked({ method: 'roots/list' })).toThrow('roots');
    expect([heard, told, undeclared.heard]).toEqual([[], [], []]);
  });

  it('to visit a page, and is told when that has served its purpose: once, and only where it agreed (BR-32, ELI-14)', () => {
    let action = 'accept';
    const { asked, heard, told, done } = peer(() => of({ result: { action } }));
    asked({ method: 'elicitation/create', params: page });
    action = 'decline';
    asked({ method: 'elicitation/create', params: page });
    expect(told).toEqual([]);
    done();
    done();
    const [elicitationId, other] = heard.map(([{ params }]) => params?.['elicitationId']);
    expect(elicitationId).toBeTypeOf('string');
    expect(other).not.toBe(elicitationId);
    expect(told).toEqual([{ method: 'notifications/elicitation/complete', params: { elicitationId } }]);
  });
});
