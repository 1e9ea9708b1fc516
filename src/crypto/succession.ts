/**
 * Successions: a node or person has a new key. Signed by both: the old one says that the new one is its own from now on, the new
 * one that it is so. Format: docs/permissions.md, "What is signed".
 */
import { open, seal } from './dsse.ts'
import { Fields, jsonOf, refused } from './fields.ts'
import type { Identity } from './identity.ts'

export const SUCCESSION_TYPE = 'application/vnd.cloudburst.succession+json'
/** Longest envelope, in bytes: it holds another one in base64. */
export const SUCCESSION_BYTES_MAX = 4 * 1024

/** A succession whose two signatures hold. */
export interface Succession {
  /** Peer ids of the old key and of the new one. */
  readonly from: string
  readonly to: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly envelope: Uint8Array
}

/** A signed succession: its envelope. */
export function sealSuccession(from: Identity, to: Identity, at: number): Uint8Array {
  const words = Buffer.from(JSON.stringify({ v: 1, from: from.peer, to: to.peer, at }))
  const old = seal(from, SUCCESSION_TYPE, words)
  return seal(to, SUCCESSION_TYPE, Buffer.from(JSON.stringify({ v: 1, old: Buffer.from(old).toString('base64') })))
}

/** @throws CloudburstError CB_SIGNATURE_INVALID */
export function openSuccession(envelope: Uint8Array): Succession {
  const outer = open(envelope, SUCCESSION_TYPE, SUCCESSION_BYTES_MAX)
  const wrapping = new Fields(jsonOf(outer.payload), 'the succession', ['v', 'old'])
  if (wrapping.get('v') !== 1) wrapping.wrong('v')
  const inner = open(Buffer.from(wrapping.text('old', SUCCESSION_BYTES_MAX), 'base64'), SUCCESSION_TYPE, SUCCESSION_BYTES_MAX)
  const fields = new Fields(jsonOf(inner.payload), 'the succession', ['v', 'from', 'to', 'at'])
  if (fields.get('v') !== 1) fields.wrong('v')
  const [from, to] = [fields.peer('from'), fields.peer('to')]
  if (inner.signer !== from || outer.signer !== to || from === to) throw refused('a succession is signed by both keys')
  return { from, to, at: fields.count('at'), envelope }
}
