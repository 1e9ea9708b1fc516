/** What an announcement says, read once: the same one comes again each time that its node meets somebody. */
import { accepted } from '../shapes.ts'
import { decodeMessage } from '../wire/codec.ts'
import type { Head } from './messages.ts'
import { announcementShape } from './record.ts'

/** Announcements that are remembered, and the longest that is, in bytes: one head takes some 180. */
const REMEMBERED_MAX = 2_000
const REMEMBERED_BYTES_MAX = 512

const remembered = new Map<string, readonly Head[]>()

/** @throws CloudburstError CB_FRAME_INVALID */
export function headsIn(bytes: Uint8Array): readonly Head[] {
  if (bytes.byteLength > REMEMBERED_BYTES_MAX) return read(bytes)
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const known = remembered.get(name)
  if (known !== undefined) return known
  const heads = read(bytes)
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  remembered.set(name, heads)
  return heads
}

function read(bytes: Uint8Array): readonly Head[] {
  return accepted(announcementShape, decodeMessage(bytes), 'announcement').heads
}
