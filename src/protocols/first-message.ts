import { CloudburstError } from '../errors.ts'
import type { Channel } from './wire/channel.ts'

/**
 * The first message of a channel, or the next one where the other end must not be waited for without end.
 * @param withinMs in milliseconds
 * @throws CloudburstError CB_TIMEOUT when it does not come in time, CB_FRAME_INVALID when the other end finished without one
 */
export async function firstMessage(channel: Channel, withinMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new CloudburstError('CB_TIMEOUT', `peer ${channel.peer} sent no request within ${withinMs} ms`)),
      withinMs
    )
    timer.unref()
  })
  try {
    const message = await Promise.race([channel.read(), late])
    if (message === undefined) throw new CloudburstError('CB_FRAME_INVALID', `peer ${channel.peer} finished without a request`)
    return message
  } finally {
    clearTimeout(timer)
  }
}
