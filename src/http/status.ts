/** The one table from error to HTTP status. 503: certainly not applied. 504: unknown. */
export const HTTP_STATUS = {
  BadRequest: 400,
  Unauthorized: 401,
  NotFound: 404,
  KeyNotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  ChangeRefused: 409,
  VersionMismatch: 409,
  EraMismatch: 409,
  OutcomeForgotten: 410,
  PayloadTooLarge: 413,
  NameReused: 422,
  HeadersTooLarge: 431,
  InternalError: 500,
  StorageError: 500,
  ConcurrentRequestError: 503,
  NotConfigured: 503,
  OldState: 503,
  PrepareError: 503,
  StaleConfiguration: 503,
  StoreClosed: 503,
  CommitError: 504,
  StorageFull: 507,
} as const;

/** What went wrong, by the name that clients see. */
export type ErrorCode = keyof typeof HTTP_STATUS;

/** Whether a client may see this code; what else goes wrong is an `InternalError` to it. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(HTTP_STATUS, code);
}
