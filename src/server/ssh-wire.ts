/**
 * The few pieces of the SSH wire format that keys are made of (RFC 4251, section 5): a string is a 32-bit
 * big-endian length followed by that many bytes.
 */

/** Reads the string that starts at `offset`; undefined where the bytes end before it does. */
export function readString(bytes: Buffer, offset: number): { value: Buffer; next: number } | undefined {
  const start = offset + 4
  if (bytes.length < start) return undefined
  const next = start + bytes.readUInt32BE(offset)
  return bytes.length < next ? undefined : { value: bytes.subarray(start, next), next }
}

/** Reads strings until the bytes end; undefined where they do not end with one, or are more than `most`. */
export function readStrings(bytes: Buffer, most = 256): readonly Buffer[] | undefined {
  const found: Buffer[] = []
  let offset = 0
  while (offset < bytes.length) {
    const one = readString(bytes, offset)
    if (one === undefined || found.length === most) return undefined
    found.push(one.value)
    offset = one.next
  }
  return found
}

/** Writes one string. */
export function writeString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([writeUint32(bytes.length), bytes])
}

/** Writes one 32-bit number. */
export function writeUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
