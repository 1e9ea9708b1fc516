/** The local calls about trust: what the commands `grant`, `authority` and `permissions` ask of a daemon. */
import { GRANT_TYPE, openGrant } from '../../crypto/grant.ts'
import { claimedType } from '../../crypto/dsse.ts'
import { openRevocations, REVOCATIONS_TYPE } from '../../crypto/revocation.ts'
import { SUCCESSION_TYPE } from '../../crypto/succession.ts'
import type { LocalHandlers } from '../control/server.ts'
import type { Programs } from '../programs/programs.ts'
import { decisionsTold, grantTold, keysOf, rightsTold } from './explain.ts'
import type { Spreading } from './spreading.ts'
import type { Trust } from './trust.ts'

export interface TrustCallsParts {
  readonly trust: Trust
  readonly spreading: Pick<Spreading, 'speak' | 'hand' | 'tellAll'>
  readonly programs: Pick<Programs, 'find' | 'withHash'>
}

export function trustCalls({ trust, spreading, programs }: TrustCallsParts): Pick<LocalHandlers, 'trust' | 'grants' | 'rights'> {
  return {
    trust: async ({ statements }) => {
      const handed: string[] = []
      let news = 0
      let told = 0
      for (const text of statements) {
        const envelope = Buffer.from(text.trim())
        if (trust.take(envelope)) news++
        if (isOurWord(envelope)) told += await spreading.tellAll()
        const subject = claimedType(envelope) === GRANT_TYPE ? openGrant(envelope).subject : undefined
        if (subject === undefined) continue
        const isOurs = trust.own().some(grant => grant.subject === subject)
        if (isOurs || (await spreading.hand(subject, envelope))) handed.push(subject)
      }
      spreading.speak()
      return { news, handed, told }
    },
    grants: () => Promise.resolve(trust.own().map(grant => grantTold(trust.current, grant))),
    rights: async ({ who, capability, program, goal, vars }) => {
      const now = trust.now()
      const peers = keysOf(trust.current, who, trust.shown())
      const rights = rightsTold(trust.current, peers, now)
      if (capability === undefined) return { peers, rights }
      const held = program === undefined ? undefined : await programs.find(program).catch(() => undefined)
      const what = {
        ...(program !== undefined && { program: held?.hash ?? program, programName: held?.name ?? program }),
        ...(goal !== undefined && { goal }),
        ...(vars !== undefined && { vars })
      }
      return { peers, rights, decisions: decisionsTold(trust.current, peers, capability, what, now) }
    }
  }
}

/** A new key, or what this home takes back of what it has handed on: told to each neighbour, besides by gossip. */
function isOurWord(envelope: Uint8Array): boolean {
  const type = claimedType(envelope)
  return type === SUCCESSION_TYPE || (type === REVOCATIONS_TYPE && openRevocations(envelope).holds !== undefined)
}
