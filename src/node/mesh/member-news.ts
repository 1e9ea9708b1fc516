/** Suspicions and goodbyes over gossip. A suspicion is a hint; a goodbye counts only from the one who goes. */
import { MEMBERS_TOPIC, type MemberNews, NEWS_BYTES_MAX, newsShape } from '../../protocols/members/messages.ts'
import { accepted } from '../../protocols/shapes.ts'
import { decodeMessage, encodeMessage } from '../../protocols/wire/codec.ts'
import type { Mesh } from '../mesh.ts'

export interface MemberNewsSender {
  suspect(peer: string): Promise<void>
  /** Tells those at the other end of each connection. */
  leave(): Promise<void>
}

export function memberNews(
  pubsub: Mesh['pubsub'],
  self: string,
  heard: { suspected(peer: string): void; left(peer: string): void }
): MemberNewsSender {
  pubsub.subscribe(MEMBERS_TOPIC, (bytes, from) => {
    const news = read(bytes)
    if (news === undefined || news.peer === self) return
    if (news.type === 'suspect') heard.suspected(news.peer)
    else if (news.peer === from) heard.left(from)
  })
  const send = (news: MemberNews): Promise<void> => pubsub.publish(MEMBERS_TOPIC, encodeMessage(news))
  return { suspect: peer => send({ type: 'suspect', peer }), leave: () => send({ type: 'left', peer: self }) }
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
