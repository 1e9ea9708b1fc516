/** Keeps what commands print within bounds: a command that prints without end must not fill the disk. */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ERR, OUT } from './step-directory.ts'

/** Most that is kept of one stream of one command, in bytes: far more than anybody reads, little enough for a disk. */
export const OUTPUT_BYTES_MAX = 16 * 1024 * 1024
/** Stands behind a stream that was cut. */
export const CUT_MARK = Buffer.from(`\n[cloudburst: output cut after ${OUTPUT_BYTES_MAX} bytes]\n`)
/** How often running commands are looked at, in milliseconds: what is printed in between is the overshoot. */
export const LOOK_EVERY_MS = 100

/** Cuts both streams of the step in `directory` back to the limit. The command goes on: it writes at the end, wherever that is. */
export function capOutput(directory: string): void {
  capFile(join(directory, OUT))
  capFile(join(directory, ERR))
}

function capFile(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size <= OUTPUT_BYTES_MAX + CUT_MARK.length) return
  const fd = openSync(file, 'r+')
  try {
    // Over what the command wrote there, then cut: in this order nothing that it prints meanwhile comes before the mark.
    writeSync(fd, CUT_MARK, 0, CUT_MARK.length, OUTPUT_BYTES_MAX)
    ftruncateSync(fd, OUTPUT_BYTES_MAX + CUT_MARK.length)
  } finally {
    closeSync(fd)
  }
}
