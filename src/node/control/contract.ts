/**
 * What the CLI and the control center may know of a node: types only.
 *
 * The control API is HTTP over a Unix socket (0600 in a 0700 directory):
 *   POST /api/v1/calls/<name>[?peer=P]      body: request as JSON       → 200 reply | problem details (RFC 9457)
 *   POST /api/v1/streams/<name>[?peer=P]    body: request as JSON       → NDJSON: {"type":"version",…} then items; an error is the last line
 *   POST /api/v1/local/<name>               calls that only this node serves ({@link LocalCalls})
 * `peer` is a name, a label selector, a unique id prefix or a multiaddr; the daemon passes the call on over libp2p.
 */
export type * from '../../protocols/agency/calls.ts'
export type { Plan, PlanNode } from '../../goals/plan/plan.ts'
export type { Candidate, GoalEvent, GoalEventBody, Assignment, Principal, StepDecision } from '../../goals/pursuit/events.ts'
export type { RunSummary, Suspension } from '../../goals/pursuit/summary.ts'
export type { Capability } from '../../crypto/capability.ts'
export type { Plain, Tree, Variables } from '../../goals/tree.ts'
import type { Capability } from '../../crypto/capability.ts'
import type { ErrorData } from '../../errors.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'

/** Path of the socket below {@link controlBase}. */
export const CONTROL_SOCKET = 'control/socket'
export const CONTROL_VERSION = 1

/** Calls about this node's place in the mesh: only for its own people. */
export interface LocalCalls {
  peers: { request: Record<string, never>; reply: readonly PeerInfo[] }
  /** Sends a goal to each of the peers; one entry per peer, in order. Follow each with the stream `events` on this node. */
  dispatch: { request: DispatchRequest; reply: readonly Dispatched[] }
  /** What sending a goal would meet at each of the peers, in order; has no effect. */
  anticipate: { request: GoalRequest & { readonly peers: readonly string[] }; reply: readonly Anticipated[] }
  /** Ends the waiting for a node that is gone for good; it is told should it return. */
  abandon: { request: { readonly id: string; readonly why?: string }; reply: Record<string, never> }
  /** A single-use invitation, to be pasted on another node. */
  ticket: {
    request: {
      readonly lifetimeMs?: number
      readonly capabilities?: readonly Capability[]
      /** What this node may do at the other one besides. */
      readonly ours?: readonly Capability[]
      /** Instead of permits: the line of an authority for permissions.xml there, and its grant for the other node. */
      readonly granted?: { readonly element: string; readonly grant: string }
      readonly email?: string
      readonly boundTo?: string
    }
    reply: { readonly ticket: string; readonly expiresAt: number }
  }
  /**
   * Takes in signed statements as they are in a file: grants, lists of revocations. Grants for others are handed to them if they
   * are up. With none, only says at once what the authorities of this home have to say.
   */
  trust: {
    request: { readonly statements: readonly string[] }
    reply: {
      readonly news: number
      readonly handed: readonly string[]
      /** Neighbours that were up to hear of a new key, or of what this home takes back of what it has handed on. */
      readonly told: number
    }
  }
  /** Grants that this node holds. */
  grants: { request: Record<string, never>; reply: readonly GrantInfo[] }
  /** What an e-mail address or peer id may do here; with `capability`, whether it may that, and why. */
  rights: {
    request: {
      readonly who: string
      readonly capability?: Capability
      readonly program?: string
      readonly goal?: string
      readonly vars?: readonly string[]
    }
    reply: RightsReply
  }
  /** A code that one browser or program may sign in with, at the control API over the network. */
  signin: { request: Record<string, never>; reply: SignInInfo }
  /** Reads all records of all runs. */
  checkstore: { request: Record<string, never>; reply: StoreCheck }
  /** Files by what is in them: those of this node, and those that others say they have. */
  artifacts: { request: Record<string, never>; reply: readonly ArtifactInfo[] }
  /** Takes a copy of a file of this machine; durable on return. */
  keepfile: { request: { readonly path: string }; reply: ArtifactInfo }
  /** Gets a file from whoever has it, and copies it to `to`, if given. */
  fetchfile: { request: { readonly hash: string; readonly peer?: string; readonly to?: string }; reply: ArtifactInfo }
  dropfile: { request: { readonly hash: string }; reply: Record<string, never> }
  /** What is wrong with this node, or soon will be. */
  doctor: { request: Record<string, never>; reply: readonly Check[] }
  shutdown: { request: Record<string, never>; reply: Record<string, never> }
}

/** A signed grant, in words. */
export interface GrantInfo {
  readonly id: string
  /** Peer id of whoever holds it. */
  readonly subject: string
  readonly email: string
  /** Key that signed it. */
  readonly issuer: string
  /** Name of its authority here; absent when it has none here. */
  readonly authority?: string
  /** E-mail of the holder who handed part of his own grant on. */
  readonly handedOnBy?: string
  readonly allows: readonly { readonly capabilities: readonly Capability[]; readonly limits: readonly string[] }[]
  readonly at: number
  readonly notBefore: number
  readonly expiry: number
  readonly freshMs?: number
  /** Rights that it makes on this node. */
  readonly rights: number
  /** As it was signed, for a file. */
  readonly statement: string
}

/** One way in which a key may do something here. */
export interface RightInfo {
  readonly peer: string
  readonly email: string
  /** Name of the authority. */
  readonly by: string
  readonly handedOnBy?: string
  /** `time`: expired or not yet valid. `stale`: its authority was not heard of for too long. */
  readonly state: 'holds' | 'time' | 'revoked' | 'stale'
  readonly capabilities: readonly Capability[]
  /** In words: all of them hold. */
  readonly limits: readonly string[]
  /** Epoch milliseconds. */
  readonly until?: number
  /** Where it comes from: a line of permissions.xml, a grant. */
  readonly from: string
}

export interface RightsReply {
  readonly peers: readonly string[]
  readonly rights: readonly RightInfo[]
  /** One for each peer, when a capability was asked for. */
  readonly decisions?: readonly { readonly peer: string; readonly allowed: boolean; readonly reason: string }[]
}

/** How to sign in. */
export interface SignInInfo {
  /** For one sign-in. */
  readonly code: string
  readonly expiresAt: number
  /** `https://node1:4711/`, one for each name. */
  readonly addresses: readonly string[]
  /** File of the certificate to be believed, PEM, on this node. */
  readonly authority: string
}

/** A file, by what is in it. */
export interface ArtifactInfo {
  /** SHA-256, hex. */
  readonly hash: string
  readonly size: number
  /** What it was called where it was made. */
  readonly name: string
  /** Names of nodes that have it. */
  readonly on: readonly string[]
  /** Where it is on this machine; absent: it is not. */
  readonly path?: string
  /** The node that it was just fetched from. */
  readonly from?: string
}

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  /** warn: it works, and somebody should look · fail: it does not work */
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly say: string
  /** What to type. */
  readonly next?: string
}

/** What a look at every record of the store has found. */
export interface StoreCheck {
  readonly runs: number
  readonly events: number
  /** Goals whose events were removed, because they ended long ago. */
  readonly compacted: number
  /** What does not hold together; the daemon suspends such goals when it starts. */
  readonly problems: readonly { readonly goal?: string; readonly seq?: number; readonly reason: string }[]
}

export interface DispatchRequest extends GoalRequest {
  /** Names, label selectors (each may name several nodes), id prefixes or multiaddrs; `*` is all known nodes but this one. */
  readonly peers: readonly string[]
  readonly mode?: 'pursue' | 'execute'
  readonly acceptWithinMs?: number
  /** Keep it here for peers that are away: accepted by them when they come, or not at all after acceptWithinMs. */
  readonly wait?: boolean
  /** Nodes that pursue at a time; absent: all. */
  readonly parallel?: number
  /** Send it to no more nodes once more have failed; needs `parallel`. */
  readonly failuresMax?: { readonly count: number } | { readonly percent: number }
}

/** What sending a goal to a node would meet. */
export interface Anticipated {
  readonly peer: string
  readonly node: string
  readonly reachable: boolean
  /** Absent: it could not be asked. */
  readonly permitted?: boolean
  readonly program?: 'there' | 'to send' | 'missing'
  /** Steps, by what would become of them. Absent: the node could not plan it. */
  readonly would?: Plan['summary']
  /** Why it would not work, or could not be told. */
  readonly problem?: string
}

/** Accepted, or with `wait` or `parallel` taken down; else why not. */
export type Dispatched =
  | { readonly peer: string; readonly node: string; readonly id: string }
  | { readonly peer: string; readonly node: string; readonly error: ErrorData }

export interface PeerInfo {
  readonly peer: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** up: greeted on our own protocol; connecting: not yet; denied: one side has no permit; away: not reachable. */
  readonly status: 'self' | 'up' | 'connecting' | 'denied' | 'away'
  /** Of one that is up: it does not answer, which may be this node's fault or the line's. */
  readonly suspect?: true
  /** Of one that is not: it ended in order. */
  readonly left?: true
  readonly addresses: readonly string[]
  readonly static: boolean
  readonly version?: string
  /** Of the connection, by ping, in milliseconds. */
  readonly roundTripMs?: number
  readonly lastError?: string
  readonly since: number
  /** What it may do here, and what we may do there. */
  readonly may: readonly Capability[]
  readonly mayThere: readonly Capability[]
}

/**
 * The directory below which a node keeps its control socket, as daemon and CLI both find it:
 * `--home` or $CLOUDBURST_HOME itself, else root's /var/lib/cloudburst, else the XDG state directory.
 */
export function controlBase(home: string | undefined, env: Readonly<Record<string, string | undefined>>, uid: number | undefined): string {
  const named = home ?? env['CLOUDBURST_HOME']
  if (named !== undefined && named !== '') return named
  if (uid === 0) return '/var/lib/cloudburst'
  return `${env['XDG_STATE_HOME'] || `${env['HOME'] ?? ''}/.local/state`}/cloudburst`
}
