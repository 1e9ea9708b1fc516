import { CloudburstError, fromErrorData } from '../../errors.ts'
import type { Channel } from '../wire/channel.ts'
import type { SessionHello, SessionReply } from './messages.ts'
import { checkReply } from './shapes.ts'

export type Welcome = Extract<SessionReply, { type: 'welcome' }>

/**
 * Says hello on a fresh channel and waits for the answer; the channel is finished afterwards. Spec: ./README.md
 * @throws CloudburstError the one the peer refused with, mostly CB_DENIED; CB_PEER_UNREACHABLE when it hangs up instead
 */
export async function greet(channel: Channel, hello: SessionHello): Promise<Welcome> {
  await channel.write(hello)
  const message = await channel.read()
  if (message === undefined) throw new CloudburstError('CB_PEER_UNREACHABLE', 'peer finished the session without an answer')
  const reply = checkReply(message)
  await channel.finish()
  if (reply.type === 'refused') throw fromErrorData(reply.error)
  return reply
}
