/**
 * What somebody asks of a node, signed: so that the node, when it has to ask another one, can show on whose behalf.
 * It names the node it is for and what is asked; shown anywhere else, or for anything else, it proves nothing.
 * Format: docs/permissions.md, "On whose behalf".
 */
import { open, seal } from './dsse.ts'
import { Fields, jsonOf } from './fields.ts'
import type { Identity } from './identity.ts'

export const ASK_TYPE = 'application/vnd.cloudburst.ask+json'
/** Longest envelope, in bytes. */
export const ASK_BYTES_MAX = 4 * 1024

/** What is asked. */
export interface AskWords {
  /** Peer id of the node that is asked. */
  readonly to: string
  /** Name of a call of the agency, or `dispatch`. */
  readonly call: string
  /** Epoch milliseconds by the clock of whoever asks. */
  readonly at: number
  /** Id of the goal that it is about, or that it makes. */
  readonly goalId?: string
  readonly goal?: string
  /** Name or hash of the program. */
  readonly program?: string
}

/** An ask whose signature holds. */
export interface Ask extends AskWords {
  /** Peer id of whoever asks: a node, or a person. */
  readonly signer: string
  readonly envelope: Uint8Array
}

/** A signed ask: its envelope. */
export function sealAsk(signer: Identity, { to, call, at, goalId, goal, program }: AskWords): Uint8Array {
  const about = { ...(goalId !== undefined && { goalId }), ...(goal !== undefined && { goal }), ...(program !== undefined && { program }) }
  return seal(signer, ASK_TYPE, Buffer.from(JSON.stringify({ v: 1, to, call, at, ...about })))
}

/** @throws CloudburstError CB_SIGNATURE_INVALID */
export function openAsk(envelope: Uint8Array): Ask {
  const { signer, payload } = open(envelope, ASK_TYPE, ASK_BYTES_MAX)
  const fields = new Fields(jsonOf(payload), 'the ask', ['v', 'to', 'call', 'at', 'goalId', 'goal', 'program'])
  if (fields.get('v') !== 1) fields.wrong('v')
  return {
    signer,
    to: fields.peer('to'),
    call: fields.text('call', 64),
    at: fields.count('at'),
    ...(fields.has('goalId') && { goalId: fields.text('goalId', 64) }),
    ...(fields.has('goal') && { goal: fields.text('goal', 256) }),
    ...(fields.has('program') && { program: fields.text('program', 256) }),
    envelope
  }
}
