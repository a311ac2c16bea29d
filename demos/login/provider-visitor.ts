/** Somebody who logs in without a browser: reads the pages of an authorization server, and answers them. */

/** What they are called, and what they say when they are asked for their consent. */
export interface Visitor {
  readonly name: string;
  readonly answer?: 'allow' | 'refuse';
}

/**
 * Goes where a person would, from the first page to where they are sent back to.
 *
 * @param url - of the first page
 * @returns the page that they end at, with which they are sent back
 */
export const visit = async (url: URL, { name, answer = 'allow' }: Visitor): Promise<URL> => {
  const jar = new Map<string, string>();
  /** One request, with the cookies of this person; the next place to go to, or the page. */
  const ask = async (at: URL, form?: Readonly<Record<string, string>>): Promise<URL | string> => {
    const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ');
    const body = form && new URLSearchParams(form);
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html' },
      ...(body && { method: 'POST', body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(key);
      else jar.set(key, value);
    }
    const text = await response.text();
    const next = response.headers.get('location');
    if (next !== null) return new URL(next, at);
    if (!response.ok) throw new Error(`${at.pathname} answered ${response.status}: ${text}`);
    return text;
  };

  let at = url;
  while (at.origin === url.origin) {
    const there = await ask(at);
    const next = typeof there === 'string' ? await ask(at, { name, answer }) : there;
    if (typeof next === 'string') throw new Error(`${at.pathname} leads nowhere: ${next}`);
    at = next;
  }
  return at;
};
