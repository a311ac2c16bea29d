/** Calls back with each chunk's complete lines. */
export const eachChunk = (stream, take) => {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    if (lines.length > 0) take(lines);
  });
};
