/** A connection to a host, by ssh2 or by the user's ssh where only that can do it. */
import { readFileSync } from 'node:fs'
import { checkOnlyOursToRead } from '../files/file-safety.ts'
import { connectPlain } from './plain-ssh.ts'
import type { Answers, Remote } from './remote.ts'
import { type TargetOptions, targetOf } from './target.ts'

export interface ReachOptions extends TargetOptions {
  /** Always use this program instead of ssh2. */
  readonly sshCommand?: string
  /** Told when ssh is used because of the user's configuration. */
  readonly onPlain?: (word: string) => void
}

/** @throws CloudburstError CB_HOST_UNREACHABLE, CB_HOST_UNKNOWN, CB_HOST_CHANGED, CB_HOST_DENIED */
export async function reach(word: string, options: ReachOptions, answers: Answers): Promise<Remote> {
  const target = await targetOf(word, options)
  if (options.sshCommand !== undefined) return await connectPlain(target, options, options.sshCommand)
  if (target.needsSsh !== undefined) {
    options.onPlain?.(`${word}: the configuration of ssh has ${target.needsSsh} for it, so ssh itself is used`)
    return await connectPlain(target, options)
  }
  const { connect } = await import('./ssh2.ts')
  return await connect(target, answers)
}

/** The first line of a file that only we may read. @throws CloudburstError CB_FILE_UNSAFE */
export function secretIn(file: string): string {
  checkOnlyOursToRead(file)
  return readFileSync(file, 'utf8').split('\n')[0] ?? ''
}
