/** Origins of windows, as they are compared: exactly, and never by a pattern. */
import { Misconfigured } from '../frame/errors.ts';

/**
 * Takes an origin that a user wrote down.
 *
 * @throws {@link Misconfigured} where it is none: `*`, `/`, a path or a default port in it
 */
export const exactOrigin = (origin: string): string => {
  if (isOrigin(origin)) return origin;
  throw new Misconfigured({
    message: `${JSON.stringify(origin)} is no origin: it must be exact, like "https://app.example" or "http://localhost:8080"`,
  });
};

const isOrigin = (origin: string): boolean => {
  // Schemes of applications and extensions have origins that URL does not know of.
  if (!/^https?:/i.test(origin)) return /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\s]+$/.test(origin);
  try {
    return new URL(origin).origin === origin && !origin.includes('*');
  } catch {
    return false;
  }
};
