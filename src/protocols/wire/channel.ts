import type { Capability } from '../../crypto/capability.ts'
import type { Asked } from '../behalf.ts'

/**
 * A bidirectional sequence of messages with back-pressure: what every protocol here talks over.
 * On the wire: uint32 big-endian length, then that many bytes of deterministic CBOR. Spec: ./README.md
 */
export interface Channel {
  /** Peer id at the other end, proved by Noise. */
  readonly peer: string
  /**
   * Resolves when the message is handed to the transport and there is room for more. Long byte strings in it are not copied: they must
   * not change any more.
   * @throws CloudburstError CB_FRAME_TOO_LONG when it is longer than FRAME_BYTES_MAX; CB_PEER_UNREACHABLE when the other end is gone
   */
  write(message: unknown): Promise<void>
  /**
   * The next message, decoded but not yet checked against any shape; undefined once the other end has finished.
   * @throws CloudburstError CB_FRAME_TOO_LONG, CB_FRAME_INVALID (the channel is aborted then), CB_PEER_UNREACHABLE
   */
  read(): Promise<unknown>
  /** No more writes from this end; reading goes on. */
  finish(): Promise<void>
  /** Ends both directions at once. */
  abort(reason: Error): void
  /** Fires when the channel is gone for whatever reason. */
  readonly closed: AbortSignal
}

/** Opens channels to peers; implemented by node/mesh.ts. */
export interface Dialer {
  /**
   * @param peer peer id
   * @throws CloudburstError CB_PEER_UNREACHABLE, CB_DENIED
   */
  open(peer: string, protocol: string, signal?: AbortSignal): Promise<Channel>
}

/** Serves one protocol; a rejected promise aborts the channel after an error frame. */
export type Handler = (channel: Channel, caller: Caller) => Promise<void>

/** What a request is about, as far as it names it. */
export interface About {
  readonly program?: string
  /** The name under which the owner of this node knows that program. */
  readonly programName?: string
  readonly goal?: string
  /** Paths that it sets. */
  readonly vars?: readonly string[]
  /** Goals that whoever asks has open here. */
  readonly open?: number
}

/** Who is at the other end and what it may do, looked up in the session at every request. */
export interface Caller {
  readonly peer: string
  /** Name of that node in this neighborhood, or the short peer id. */
  readonly node: string
  readonly email: string
  /**
   * @throws CloudburstError CB_DENIED, written to the audit log, when the permit is missing, expired or too narrow
   */
  require(capability: Capability, what?: About): void
  /**
   * The same caller asking on behalf of others: {@link require} then asks it of each of them.
   * @param behalf signed asks, base64
   * @throws CloudburstError CB_DENIED, written to the audit log, CB_SIGNATURE_INVALID
   */
  onBehalf?(behalf: readonly string[], asked: Asked): Caller
  /** Fires when the session ends (permit expired or removed, connection closed). */
  readonly ended: AbortSignal
}
