import { sealAsk } from '../../crypto/ask.ts'
import type { Identity } from '../../crypto/identity.ts'
import { CloudburstError } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import { BEHALF_MAX, type Signing } from '../../protocols/behalf.ts'

export interface SigningParts {
  readonly identity: Identity
  /** The person whose node this is, once somebody has granted anything to their key. */
  readonly person?: () => Identity | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Signs what this node asks of others: for its own people, or passing on what another one has asked. */
export function signing({ identity, person, now }: SigningParts): Signing {
  return (to, { call, goalId, goal, program }, by) => {
    const about = {
      ...(goalId !== undefined && { goalId }),
      ...(goal !== undefined && { goal }),
      ...(program !== undefined && { program })
    }
    const sign = (who: Identity, whom: string): string =>
      Buffer.from(sealAsk(who, { to: whom, call, at: now(), ...about })).toString('base64')
    const own = person?.()
    const before = by.peer !== identity.peer ? shown(by) : own === undefined ? (by.behalf ?? []) : [sign(own, identity.peer)]
    if (before.length >= BEHALF_MAX) throw new CloudburstError('CB_DENIED', `the request went through ${before.length} nodes: too many`)
    return [...before, sign(identity, to)]
  }
}

function shown({ node, peer, behalf = [] }: Principal): readonly string[] {
  if (behalf.length > 0) return behalf
  throw new CloudburstError(
    'CB_DENIED',
    `${node} has not signed what it asks for, so it cannot be passed on in its name: ask the other node itself`,
    {
      peer
    }
  )
}
