import { CloudburstError, type ErrorCode } from '../../src/errors.ts'

/** Longest message of an error that an input may cause, in characters: it goes into logs and to terminals. */
const MESSAGE_CHARS_MAX = 4_096

/** Does `work`; errors with these codes are answers. @throws every other, and an answer that is too long or has control characters */
export async function expecting<T>(codes: readonly ErrorCode[], work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CloudburstError) || !codes.includes(error.code)) throw error
    if (error.message.length > MESSAGE_CHARS_MAX)
      throw new Error(`a message of ${error.message.length} characters: ${error.message.slice(0, 200)}`)
    return undefined
  }
}
