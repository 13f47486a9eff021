import { createHash, timingSafeEqual } from 'node:crypto';

/** Tells whether an `Authorization` header holds this token, in a time that tells nothing of where they differ. */
export function bearerCheck(token: string): (authorization: string | undefined) => boolean {
  // Of equal length.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (authorization = '') => timingSafeEqual(digest(authorization), expected);
}
