/** The credentials of this node's user, which every program of this node may refer to. */
import type { SourceFile } from '../../goals/program/model.ts'
import { readProgram } from '../../goals/program/read.ts'
import type { Logger } from '../log.ts'
import { readPrivate } from './program-files.ts'

/** The user's private file, to be read before every program. A faulty one is left out, and told: it must not take all programs with it. */
export function credentials(log: Pick<Logger, 'warn'>): readonly SourceFile[] {
  try {
    const own = readPrivate({ env: process.env })
    if (own === undefined) return []
    if (own.warning !== undefined) log.warn(own.warning)
    readProgram([own.file])
    return [own.file]
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.message : String(error) }, 'private.xml is left out')
    return []
  }
}
