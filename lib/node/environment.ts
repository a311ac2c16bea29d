/**
 * What a server may see of our environment unless it is given more: enough to run, none of the secrets that a shell
 * exports. The same set as other MCP clients pass on.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

const posix = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER'];

const windows = [
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATH',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
  'WINDIR',
];

/**
 * The environment of a process to be started.
 *
 * @param own - added to the inherited variables, or set against them; undefined takes a variable away
 * @param inheritAll - whether to pass on all of ours instead of the safe ones
 */
export const environment = (
  own: Environment = {},
  inheritAll = false,
  from: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> => {
  const onWindows = platform === 'win32';
  const passes = (name: string, value: string) => {
    if (inheritAll) return true;
    // A shell function that bash exports: code, not a setting.
    if (value.startsWith('()')) return false;
    return onWindows ? windows.includes(name.toUpperCase()) : posix.includes(name) || name.startsWith('LC_');
  };
  const inherited = Object.entries(from).filter(([name, value]) => value !== undefined && passes(name, value));
  // Windows does not tell Path from PATH, and would take either.
  const same = onWindows ? (name: string) => name.toUpperCase() : (name: string) => name;
  const set = new Set(Object.keys(own).map(same));
  const merged = [...inherited.filter(([name]) => !set.has(same(name))), ...Object.entries(own)];
  return Object.fromEntries(merged.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
};
