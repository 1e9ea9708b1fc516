/** What commands printed, in files addressed by {goal, step, attempt, stream, offset}: own ones, and copies of what peers sent. */
import { statSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { CommandKey } from '../../goals/ports.ts'
import { OUTPUT_VALUE_BYTES_MAX } from '../../goals/ports.ts'
import type { OutputChunk } from '../../goals/pursuit/events.ts'
import { CUT_MARK, OUTPUT_BYTES_MAX } from '../runner/output-cap.ts'
import { ERR, OUT, stepDirectory } from '../runner/step-directory.ts'

/** Most bytes in one piece of output. */
export const OUTPUT_CHUNK_BYTES_MAX = 64 * 1024

export type StreamName = OutputChunk['stream']

/** Where in which output. */
export interface OutputPlace extends CommandKey {
  readonly stream: StreamName
  /** Bytes from the start of the stream. */
  readonly from: number
}

/** The file of one stream. */
export function outputFile(state: string, key: CommandKey, stream: StreamName): string {
  return join(stepDirectory(state, key), stream === 'stdout' ? OUT : ERR)
}

/** Up to {@link OUTPUT_CHUNK_BYTES_MAX} bytes at `from`; empty at the end of what there is now, and when there is nothing. */
export async function readOutput(state: string, place: OutputPlace): Promise<Uint8Array> {
  return readAt(outputFile(state, place, place.stream), place.from, OUTPUT_CHUNK_BYTES_MAX)
}

/** The start of a stream as a value of the goal: UTF-8 with replacement, and whether there is more. */
export async function outputValue(state: string, key: CommandKey, stream: StreamName): Promise<{ text: string; truncated: boolean }> {
  const file = outputFile(state, key, stream)
  // Most commands print nothing: one look is quicker than four.
  if (!statSync(file, { throwIfNoEntry: false })?.size) return { text: '', truncated: false }
  const bytes = await readAt(file, 0, OUTPUT_VALUE_BYTES_MAX + 1)
  const truncated = bytes.length > OUTPUT_VALUE_BYTES_MAX
  return { text: new TextDecoder().decode(truncated ? bytes.subarray(0, OUTPUT_VALUE_BYTES_MAX) : bytes), truncated }
}

/**
 * Keeps a piece of a peer's output in the same place as if it were ours. A repeat changes nothing; not synced.
 * @returns bytes of the stream that are here now
 * @throws CloudburstError CB_FRAME_INVALID when bytes before it are missing or the stream would be too long
 */
export async function writeMirror(state: string, chunk: OutputChunk): Promise<number> {
  if (chunk.offset + chunk.bytes.length > OUTPUT_BYTES_MAX + CUT_MARK.length) {
    throw new CloudburstError(
      'CB_FRAME_INVALID',
      `output of step ${chunk.step} of goal ${chunk.goalId} is longer than ${OUTPUT_BYTES_MAX} bytes`
    )
  }
  await mkdir(stepDirectory(state, chunk), { recursive: true, mode: 0o700 })
  const handle = await open(outputFile(state, chunk, chunk.stream), 'a', 0o600)
  try {
    const { size } = await handle.stat()
    if (chunk.offset > size) {
      const message = `output of step ${chunk.step} of goal ${chunk.goalId} came for byte ${chunk.offset} where ${size} was due`
      throw new CloudburstError('CB_FRAME_INVALID', message, { id: chunk.goalId, expected: size })
    }
    const fresh = chunk.bytes.subarray(size - chunk.offset)
    if (fresh.length > 0) await handle.appendFile(fresh)
    return size + fresh.length
  } finally {
    await handle.close()
  }
}

async function readAt(file: string, from: number, most: number): Promise<Uint8Array> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return new Uint8Array(0)
  try {
    const { size } = await handle.stat()
    const length = Math.max(0, Math.min(most, size - from, OUTPUT_BYTES_MAX + CUT_MARK.length - from))
    const bytes = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, from + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } finally {
    await handle.close()
  }
}
