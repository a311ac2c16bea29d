/** The smallest picture and sound that are what they claim to be, as base64. */

/** One reddish pixel. */
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mM4YaMBAAL8AS3Bfun7AAAAAElFTkSuQmCC';

/** Two samples of silence. */
export const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA==';
