import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { guard } from '../../lib/node/guard.ts';

const text = (stream: PassThrough) => String((stream.read() as Buffer | null) ?? '');

describe('guard', () => {
  it('sends elsewhere what others write, with one warning', async () => {
    const [output, errors] = [new PassThrough(), new PassThrough()];
    const { write } = guard(output, errors);
    output.write('one\n');
    output.write(Buffer.from('two\n'));
    await new Promise<void>((resolve) => void output.write('0a', 'hex', () => resolve()));
    await new Promise<void>((resolve) => void output.write('three\n', () => resolve()));
    write('{}\n');
    expect(text(output)).toBe('{}\n');
    expect(text(errors)).toMatch(/^rxmcp: stdout [^\n]*\none\ntwo\n\nthree\n$/);
  });

  it('puts back what was there', () => {
    const output = new PassThrough();
    const inherited = output.write;
    guard(output, new PassThrough()).restore();
    expect(Object.hasOwn(output, 'write')).toBe(false);
    expect(output.write).toBe(inherited);

    const own = () => true;
    output.write = own;
    const { restore } = guard(output, new PassThrough());
    restore();
    restore();
    expect(output.write).toBe(own);
  });

  it('does not undo what others have put in front of it', () => {
    const [output, errors] = [new PassThrough(), new PassThrough()];
    const { restore } = guard(output, errors);
    const guarded = output.write.bind(output);
    const front = (chunk: string) => guarded(`front ${chunk}`, 'utf8');
    output.write = front;
    restore();
    expect(output.write).toBe(front);
    output.write('x');
    expect(text(output)).toBe('front x');
    expect(text(errors)).toBe('');
  });
});
