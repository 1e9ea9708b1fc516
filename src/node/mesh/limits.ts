/** Every threshold of the mesh, set on purpose: libp2p's own defaults let few strangers keep everybody out, or wait too long. */
import { STREAMS_PER_PEER_MAX } from '../../protocols/per-peer.ts'

/** Most connections at once, open or being opened; a neighborhood of three hundred nodes fits twice. */
export const CONNECTIONS_MAX = 600
/**
 * Most inbound connections that have not yet proved a key. One more drops the oldest of them: an honest peer is through
 * within milliseconds, so silent sockets only drop one another.
 */
export const PENDING_MAX = 64
/** Of them from one address at which no neighbour is listed. */
export const PENDING_PER_ADDRESS_MAX = 16
/**
 * Strangers that one such address may send in a second, and at once after a silence: each costs a handshake (2 ms) and a line of the
 * audit log. The next one is refused before that.
 */
export const STRANGERS_PER_SECOND_MAX = 10
export const STRANGERS_AT_ONCE_MAX = 60
/** Addresses that are remembered, for their strangers and for their friends. */
export const ADDRESSES_REMEMBERED_MAX = 4_096
/** A connection has this long to prove its key and choose a muxer, in milliseconds. */
export const UPGRADE_TIMEOUT_MS = 3_000
/** Of connections per second from one address: not our measure, since many nodes may share one. PENDING_MAX is. */
export const INBOUND_PER_SECOND_MAX = 10_000
/** Dialling one peer, all its addresses together, and one of them, in milliseconds. */
export const DIAL_TIMEOUT_MS = 5_000
export const ADDRESS_DIAL_TIMEOUT_MS = 3_000
/** Most addresses that are tried for one peer, and most dials at once. */
export const ADDRESSES_MAX = 16
export const PARALLEL_DIALS_MAX = 50
/** Choosing a protocol for a new stream, in milliseconds. */
export const NEGOTIATION_TIMEOUT_MS = 5_000
/** An answer to our hello, in milliseconds. */
export const GREET_TIMEOUT_MS = 5_000
/** Streams of one protocol on one connection that either side may have open: a protocol that counts them itself counts to the same. */
export const STREAMS_MAX = STREAMS_PER_PEER_MAX

/** Yamux's window may grow to this many bytes: it has to fit into a paused stream's read buffer (4 MiB), or pausing aborts. */
export const WINDOW_BYTES_MAX = 2 * 1024 * 1024
/** Unsent bytes of one stream before it is aborted: two longest frames. FrameStream waits long before; this is the net below. */
export const WRITE_BUFFER_BYTES_MAX = 8 * 1024 * 1024
/** Longest gossip message, in bytes: heads are small, values are pulled. */
export const GOSSIP_BYTES_MAX = 256 * 1024

/** Strangers with an invitation that may be connected at once. */
export const STRANGERS_MAX = 16

/** Nodes that are reached through this one. */
export const RELAYED_MAX = 256

/** Pings on one connection at a time: those that were given up take a moment to end at the other side. */
export const PROBES_MAX = 64

/**
 * Waiting before the next dial of a neighbour, in milliseconds: first, most, and least for one that denies us. The longest wait and the
 * dial before it, which packets that are lost may hold up for ADDRESS_DIAL_TIMEOUT_MS, are within the 5 s in which a partition heals.
 */
export const RETRY_FIRST_MS = 250
export const RETRY_MAX_MS = 1_000
export const RETRY_DENIED_MS = 4_000
/** A connection that lasted this long was a good one: the next retry is the first again, in milliseconds. */
export const STABLE_MS = 3_000

/** How often sessions are decided anew, in milliseconds; permits that end are noticed this late. */
export const RECHECK_INTERVAL_MS = 1_000
/** How long an answer about a session holds, in milliseconds: what we tell the peer. */
export const SESSION_MAX_MS = 15 * 60 * 1_000
/** Time for the last words on a channel whose session ended, in milliseconds; then it is cut. */
export const LAST_WORDS_MS = 1_000
