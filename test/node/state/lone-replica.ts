import { open, seal } from '../../../src/crypto/dsse.ts'
import type { Identity } from '../../../src/crypto/identity.ts'
import { ENVELOPE_BYTES_MAX, RECORD_TYPE } from '../../../src/protocols/state/record.ts'
import { openReplica, type Replica } from '../../../src/protocols/state/replica.ts'

/** A node's replica without a mesh, a disk or a clock. */
export function loneReplica(identity: Identity, name: string): Replica {
  let ids = 0
  return openReplica({
    self: identity.peer,
    name,
    boot: 1,
    nonce: 'aaaaaaaa',
    seal: payload => seal(identity, RECORD_TYPE, payload),
    open: envelope => open(envelope, RECORD_TYPE, ENVELOPE_BYTES_MAX),
    now: () => 1_000,
    id: () => `t${++ids}`,
    freshNonce: () => 'ffffffff'
  })
}
