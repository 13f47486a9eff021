/** Why a server that takes connections serves none of ours, if an error of a connection tells; undefined where nobody answers. */
export function noEntryText({ message, ...error }: Error): string | undefined {
  const [refusal] = /^(?:NOAUTH|WRONGPASS)\b/.exec(message) ?? [];
  if (refusal !== undefined) return `it lets nobody in with these secrets (REDIS_USER, REDIS_PASSWORD_FILE): ${refusal}`;
  if (message.startsWith('Unknown RESP type')) return 'what answers at its address is no Redis';
  const code = 'code' in error ? String(error.code) : '';
  if (/CERT|SIGNATURE|ALTNAME/.test(code)) return `its certificate is not trusted (REDIS_CA_FILE): ${message}`;
  return undefined;
}
