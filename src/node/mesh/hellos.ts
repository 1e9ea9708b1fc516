/** The answering end of `/cloudburst/session/1`: who is welcome, and who joins by a ticket. */
import type { Connection, StreamHandler } from '@libp2p/interface'
import type { Capability } from '../../crypto/capability.ts'
import { CloudburstError } from '../../errors.ts'
import { type SessionHello, STRANGER_FRAME_BYTES_MAX } from '../../protocols/session/messages.ts'
import { serveHello } from '../../protocols/session/server.ts'
import type { Welcome } from '../../protocols/session/client.ts'
import { frameChannel } from '../../protocols/wire/frame-channel.ts'
import type { Log } from '../files/live-file.ts'
import type { Joining, MeshGrants } from '../mesh.ts'
import type { Admission } from './admission.ts'
import { GREET_TIMEOUT_MS, SESSION_MAX_MS } from './limits.ts'
import type { Card, PeerBook } from './peer-book.ts'
import type { Sessions } from './sessions.ts'

export interface HellosOptions {
  readonly sessions: Sessions
  readonly admission: Admission
  readonly book: PeerBook
  readonly joining?: Joining
  readonly grants?: MeshGrants
  readonly card: () => Card
  readonly log: Log
  readonly now: () => number
  /** The peer at the other end is welcome here: time to say hello ourselves. */
  readonly onWelcomed: (connection: Connection) => void
}

export function answerHellos(options: HellosOptions): StreamHandler {
  return async (stream, connection) => {
    const peer = connection.remotePeer.toString()
    const channel = frameChannel(stream, peer, { frameBytesMax: STRANGER_FRAME_BYTES_MAX })
    const late = setTimeout(() => channel.abort(new Error('no hello')), GREET_TIMEOUT_MS).unref()
    const answered = options.sessions.answering(connection.id)
    try {
      const said = await serveHello(channel, async hello => {
        const reply = await welcome(options, connection, hello)
        if (options.sessions.of(connection.id) !== undefined) answered()
        return reply
      })
      if (said?.reply.type === 'welcome' && !options.admission.isStranger(connection)) options.onWelcomed(connection)
    } catch (error) {
      options.log.debug({ peer, reason: error instanceof Error ? error.message : String(error) }, 'a hello went wrong')
      channel.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      clearTimeout(late)
      answered()
      // One frame is all that a stranger gets; who has joined by it comes back as a neighbour.
      if (options.admission.isStranger(connection)) await connection.close().catch(error => connection.abort(error))
    }
  }
}

async function welcome(options: HellosOptions, connection: Connection, hello: SessionHello): Promise<Welcome> {
  const { sessions, admission, book, now } = options
  const peer = connection.remotePeer.toString()
  if (hello.ticket !== undefined) await join(options, peer, hello, hello.ticket)
  for (const grant of hello.grants) options.grants?.take(grant, 'others')
  if (admission.isStranger(connection)) {
    if (!sessions.permitted(peer)) throw sessions.deny(peer, stranger(sessions, peer, hello))
    const again = { capabilities: sessions.capabilities(peer), until: now() + SESSION_MAX_MS, again: true as const }
    return { type: 'welcome', ...options.card(), ...again }
  }
  const { capabilities, until } = sessions.begin(peer, connection.id)
  book.learn(peer, hello)
  return { type: 'welcome', ...options.card(), capabilities: capabilities as readonly Capability[], until }
}

function stranger(sessions: Sessions, peer: string, { grants, ticket }: SessionHello): string {
  if (ticket !== undefined) return 'its ticket was good, and it has no permit all the same'
  return grants.length === 0 ? 'no permit holds for it, and it presents neither ticket nor grant' : sessions.whyNot(peer)
}

async function join({ joining, sessions, log }: HellosOptions, peer: string, hello: SessionHello, secret: string): Promise<void> {
  if (joining === undefined) throw new CloudburstError('CB_TICKET_INVALID', 'this node takes no tickets')
  try {
    const record = await joining.tickets.use(secret, peer)
    joining.admit({ peer, name: hello.name, addresses: hello.addresses }, record)
  } catch (error) {
    sessions.deny(peer, error instanceof Error ? error.message : String(error))
    throw error
  }
  log.info({ peer, name: hello.name }, 'a node joined by ticket')
}
