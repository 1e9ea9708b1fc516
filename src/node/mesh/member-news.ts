/** Suspicions over gossip: hints to look for oneself. */
import { MEMBERS_TOPIC, type MemberNews, NEWS_BYTES_MAX, newsShape } from '../../protocols/members/messages.ts'
import { accepted } from '../../protocols/shapes.ts'
import { decodeMessage, encodeMessage } from '../../protocols/wire/codec.ts'
import type { Mesh } from '../mesh.ts'

/** @param suspected told of each that somebody suspects @returns tells others whom we suspect */
export function memberNews(pubsub: Mesh['pubsub'], self: string, suspected: (peer: string) => void): (peer: string) => Promise<void> {
  pubsub.subscribe(MEMBERS_TOPIC, bytes => {
    const news = read(bytes)
    if (news !== undefined && news.peer !== self) suspected(news.peer)
  })
  return peer => pubsub.publish(MEMBERS_TOPIC, encodeMessage({ type: 'suspect', peer } satisfies MemberNews))
}

/** What is no news is passed over: anybody may gossip. */
function read(bytes: Uint8Array): MemberNews | undefined {
  if (bytes.byteLength > NEWS_BYTES_MAX) return undefined
  try {
    return accepted(newsShape, decodeMessage(bytes), 'news of members')
  } catch {
    return undefined
  }
}
