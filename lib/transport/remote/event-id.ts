/** What a header can hold, and every server reads alike: ASCII that is seen, with spaces in between. */
const holdable = /^[!-~](?:[ -~]*[!-~])?$/;

/** Whether a stream can be taken up after the event of this id; one that no header can hold could not be asked for. */
export const isResumable = (id: string | undefined): id is string => id !== undefined && holdable.test(id);
