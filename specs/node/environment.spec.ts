import { describe, expect, it } from 'vitest';
import { environment } from '../../lib/node/environment.ts';

const ours = {
  HOME: '/home/me',
  PATH: '/bin',
  LANG: 'C',
  LC_ALL: 'C',
  AWS_SECRET_ACCESS_KEY: 'secret',
  NODE_OPTIONS: '--inspect',
  SHELL: '() { :; }',
};

describe('environment', () => {
  it('hands on what is needed to run, and no secrets', () => {
    expect(environment({}, false, ours, 'linux')).toEqual({ HOME: '/home/me', PATH: '/bin', LANG: 'C', LC_ALL: 'C' });
  });

  it('puts own variables above ours, and takes away what is undefined', () => {
    expect(environment({ TOKEN: 't', PATH: '/own', HOME: undefined }, false, ours, 'linux')).toEqual({
      TOKEN: 't',
      PATH: '/own',
      LANG: 'C',
      LC_ALL: 'C',
    });
  });

  it('hands on everything where that is asked for', () => {
    expect(environment({ TOKEN: 't' }, true, ours, 'linux')).toEqual({ ...ours, TOKEN: 't' });
  });

  it('knows that names have no case on Windows', () => {
    const theirs = { Path: 'C:\\bin', SystemRoot: 'C:\\Windows', TMPDIR: 'x', 'ProgramFiles(x86)': 'p', Secret: 's' };
    expect(environment({}, false, theirs, 'win32')).toEqual({
      Path: 'C:\\bin',
      SystemRoot: 'C:\\Windows',
      'ProgramFiles(x86)': 'p',
    });
    expect(environment({ PATH: 'D:\\' }, false, { Path: 'C:\\bin' }, 'win32')).toEqual({ PATH: 'D:\\' });
  });
});
