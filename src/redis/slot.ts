/** How many slots a Redis Cluster has. */
export const SLOTS = 16_384;

/**
 * The slot of a key (Redis Cluster specification, "Hash tags"): of the text between the first `{` and the first `}` after it, if there is
 * any, else of the whole key. ioredis 6.0.0 looks for a later pair when the first one is empty, and so misses the server's slot of `a{}b}`.
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return crc16(Buffer.from(close > open + 1 ? key.slice(open + 1, close) : key)) % SLOTS;
}

/** CRC-16/XMODEM: polynomial 0x1021, from 0, highest bit first. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc;
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc;
});
