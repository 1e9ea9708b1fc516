/** Questions at a terminal, one line an answer. */
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { CloudburstError } from '../errors.ts'
import type { Io } from './io.ts'

export interface Prompt {
  /** The answer without white space around it; undefined when there will be none any more. @throws CloudburstError CB_INTERRUPTED on ctrl-C */
  ask(question: string): Promise<string | undefined>
  /** Leaves the terminal to somebody else for as long as `other` takes. */
  lend<T>(other: () => Promise<T>): Promise<T>
  close(): void
}

/** Whether somebody can be asked: standard input and output are a terminal. */
export function canAsk({ stdin, stdout }: Io): boolean {
  return stdin.isTTY === true && stdout.isTTY === true
}

/**
 * @param refusal what to say when nobody can be asked
 * @throws CloudburstError CB_USAGE when standard input or output is no terminal
 */
export function openPrompt(io: Io, command: string, refusal: string): Prompt {
  if (!canAsk(io)) throw new CloudburstError('CB_USAGE', refusal, { command })
  // The terminal echoes and edits the line by itself, and its ctrl-C stays an interruption of all of us.
  const input = io.stdin instanceof Readable ? io.stdin : Readable.from(io.stdin)
  const lines = createInterface({ input, terminal: false })
  const answers: string[] = []
  let ended = false
  let wake = (): void => undefined
  lines.on('line', line => {
    answers.push(line)
    wake()
  })
  lines.on('close', () => {
    ended = true
    wake()
  })
  const stop = (): void => wake()
  io.interrupted.addEventListener('abort', stop, { once: true })
  return {
    async ask(question) {
      io.stdout.write(question)
      while (answers.length === 0 && !ended && !io.interrupted.aborted) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      if (io.interrupted.aborted) throw new CloudburstError('CB_INTERRUPTED', 'interrupted')
      return answers.shift()?.trim()
    },
    lend: async other => {
      lines.pause()
      try {
        return await other()
      } finally {
        lines.resume()
      }
    },
    close: () => {
      io.interrupted.removeEventListener('abort', stop)
      lines.close()
    }
  }
}
