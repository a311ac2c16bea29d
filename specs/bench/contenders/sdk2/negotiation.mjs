/** How a client of SDK 2 opens at a revision: by handshake, or by `server/discover`. */
export const versionNegotiation = (revision) => ({ mode: revision === '2026-07-28' ? { pin: revision } : 'legacy' });
