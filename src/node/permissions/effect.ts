/** Checks at the effect: whoever a goal is for needs a right to it when it is accepted, repaired, and before each of its steps. */
import type { Capability } from '../../crypto/capability.ts'
import { shortPeer } from '../../crypto/identity.ts'
import { CloudburstError } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import { keysBehind } from '../../protocols/behalf.ts'
import type { Audit } from './audit.ts'
import { decide, permitsOf, type Subject } from './decide.ts'
import type { Trust } from './trust.ts'

export interface EffectCheck {
  /** Why `by` may not, if so. Writes nothing down. */
  whyNot(by: Principal, capability: Capability, what: Subject): string | undefined
  /** @throws CloudburstError CB_DENIED, written to the audit log */
  require(by: Principal, capability: Capability, what: Subject): void
  /** Whether nobody but this node's own people ask. */
  isOwn(by: Principal): boolean
  /** Whether a right of theirs bounds how many goals they may have open. */
  isCounted(by: Principal): boolean
}

export interface EffectCheckParts {
  readonly trust: Pick<Trust, 'current' | 'now'>
  readonly audit: Audit
  /** Keys of this node and its person, who may do what they like here. */
  readonly own: readonly string[]
}

export function effectCheck({ trust, audit, own }: EffectCheckParts): EffectCheck {
  const others = (by: Principal): readonly string[] => keysBehind(by).filter(key => !own.includes(key))
  const denial = (by: Principal, capability: Capability, what: Subject): { readonly peer: string; readonly reason: string } | undefined => {
    const now = trust.now()
    for (const peer of others(by)) {
      const { allowed, reason } = decide(trust.current, { peer, since: now }, capability, what, now)
      if (!allowed) return { peer, reason: `…${shortPeer(peer)} is denied: ${reason}` }
    }
    return undefined
  }
  return {
    whyNot: (by, capability, what) => denial(by, capability, what)?.reason,
    require: (by, capability, what) => {
      const denied = denial(by, capability, what)
      if (denied === undefined) return
      audit.record({ decision: 'deny', peer: denied.peer, node: by.node, capability, what, reason: denied.reason })
      throw new CloudburstError('CB_DENIED', denied.reason, { peer: denied.peer })
    },
    isOwn: by => others(by).length === 0,
    isCounted: by =>
      others(by).some(peer =>
        permitsOf(trust.current, { peer, since: trust.now() }, trust.now()).some(({ bounds }) =>
          bounds.some(({ concurrent }) => concurrent !== undefined)
        )
      )
  }
}
