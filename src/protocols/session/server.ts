import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Channel } from '../wire/channel.ts'
import type { SessionHello, SessionReply } from './messages.ts'
import { checkHello } from './shapes.ts'

/** Decides about one hello; a CloudburstError becomes the refusal. */
export type Answer = (hello: SessionHello) => Promise<Extract<SessionReply, { type: 'welcome' }>>

/**
 * Reads the one hello of a channel and answers it. Spec: ./README.md
 * @returns the hello and the reply that was sent; undefined when the peer left without a word
 */
export async function serveHello(channel: Channel, answer: Answer): Promise<{ hello: SessionHello; reply: SessionReply } | undefined> {
  const message = await channel.read()
  if (message === undefined) return undefined
  const hello = checkHello(message)
  const reply = await answer(hello).catch((error: unknown): SessionReply => {
    if (!(error instanceof CloudburstError)) throw error
    return { type: 'refused', error: toErrorData(error) }
  })
  await channel.write(reply)
  await channel.finish()
  return { hello, reply }
}
