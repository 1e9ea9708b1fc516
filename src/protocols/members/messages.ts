/** `/cloudburst/members/1` and the topic of suspicions: whether a node is there, as others see it. Spec: ./README.md */
import * as v from 'valibot'
import { peerShape } from '../shapes.ts'

export const MEMBERS = '/cloudburst/members/1'
/** gossipsub topic: hints to look for oneself, never a reason to believe. */
export const MEMBERS_TOPIC = '/cloudburst/members/1'

/** Does `peer` answer you? */
export interface ProbeRequest {
  readonly type: 'probe'
  readonly peer: string
  /** Milliseconds; then it does not. */
  readonly within: number
}
/** I am going, in order. */
export interface Leave {
  readonly type: 'leave'
}
export interface ProbeReply {
  readonly type: 'probed'
  readonly alive: boolean
}
/** It does not answer me. */
export interface MemberNews {
  readonly type: 'suspect'
  readonly peer: string
}

/** Longest time that somebody else's probe may take, in milliseconds. */
export const PROBE_WITHIN_MAX_MS = 10_000
/** Longest piece of news, in bytes. */
export const NEWS_BYTES_MAX = 256

const withinShape = v.pipe(v.number(), v.minValue(1), v.maxValue(PROBE_WITHIN_MAX_MS))
export const askShape: v.GenericSchema<unknown, ProbeRequest | Leave> = v.variant('type', [
  v.strictObject({ type: v.literal('probe'), peer: peerShape, within: withinShape }),
  v.strictObject({ type: v.literal('leave') })
])
export const probedShape: v.GenericSchema<unknown, ProbeReply> = v.object({ type: v.literal('probed'), alive: v.boolean() })
export const newsShape: v.GenericSchema<unknown, MemberNews> = v.strictObject({ type: v.literal('suspect'), peer: peerShape })
