import type { Capability } from '../../src/crypto/capability.ts'
import { CloudburstError } from '../../src/errors.ts'
import type { Caller } from '../../src/protocols/wire/channel.ts'

/** A peer that may do what is listed. `asked` records every question; `end` ends its session. */
export function callerWith(
  allowed: readonly Capability[],
  peer = '12D3KooWasker1111111111111111111111111111'
): Caller & {
  readonly asked: { capability: Capability; program?: string; goal?: string }[]
  end(): void
} {
  const session = new AbortController()
  const asked: { capability: Capability; program?: string; goal?: string }[] = []
  return {
    peer,
    node: 'caller',
    email: 'caller@example.org',
    ended: session.signal,
    asked,
    end: () => session.abort(),
    require(capability, what = {}) {
      asked.push({ capability, ...what })
      if (!allowed.includes(capability)) throw new CloudburstError('CB_DENIED', `caller may not ${capability}`, { capability })
    }
  }
}
