/** What a model has answered, as text. */
interface Block {
  readonly type: string;
  readonly text?: string;
}

/** @param content - one block, or several; a block that is no text is named by its type */
export const modelText = (content: Block | readonly Block[]): string =>
  [content]
    .flat()
    .map(({ type, text }) => text ?? `(${type})`)
    .join('\n');
