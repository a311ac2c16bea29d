/** Who talks to whom when somebody logs in, as a picture. */

/**
 * @param provider - URL of the authorization server
 * @param server - URL of the protected server
 */
export const picture = (provider: string, server: string): readonly string[] =>
  `
               2 log in, and allow it
 somebody ────────────────────────────────▶ authorization server
     ▲                                      ${provider}
     │ 1 open this page,                        ▲            ▲
     │   please               3 code for token  │            │ 4 your keys,
     │                                          │            │   please
  client ───────────────────────────────────────┘            │
     │                                                       │
     └──────────────────────────────────────────────────▶ diaries
               5 calls, each with the token               ${server}`
    .split('\n')
    .slice(1);
