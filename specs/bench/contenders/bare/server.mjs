import { eachChunk } from './lines.mjs';
import { answer } from './messages.mjs';

eachChunk(process.stdin, (lines) => {
  let out = '';
  for (const line of lines) {
    const frame = answer(JSON.parse(line));
    if (frame !== undefined) out += `${JSON.stringify(frame)}\n`;
  }
  if (out !== '') process.stdout.write(out);
});
