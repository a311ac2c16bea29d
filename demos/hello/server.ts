/** A server with one tool, over stdio. `client.ts` starts it; any other MCP client may as well. */
import { of, concat } from 'rxjs';
import { progress, Schema, serve, server, tool } from 'rxmcp';
import { stdio } from 'rxmcp/node';

const hello = server(
  { name: 'hello', version: '1.0.0' },
  tool(
    'greet',
    {
      description: 'Greets somebody.',
      input: Schema.Struct({ name: Schema.String }),
      output: Schema.Struct({ greeting: Schema.String }),
    },
    // A handler may return a plain value just as well; a stream can also say how far it is.
    ({ name }) => concat(of(progress(1, 2, 'thinking')), of({ greeting: `Hello, ${name}!` })),
  ),
);

export type Hello = typeof hello;

serve(hello, stdio()).subscribe();
