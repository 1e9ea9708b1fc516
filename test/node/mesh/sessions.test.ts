import assert from 'node:assert/strict'
import { sealAsk } from '../../../src/crypto/ask.ts'
import { capabilities } from '../../../src/crypto/capability.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { Sessions } from '../../../src/node/mesh/sessions.ts'
import type { PermissionList } from '../../../src/node/permissions/decide.ts'

describe('a session', () => {
  const DAY_MS = 24 * 60 * 60 * 1_000
  const [guest, here] = [generateIdentity(), generateIdentity()]
  const place = { file: 'permissions.xml', line: 1, col: 1 }
  const permits: PermissionList = {
    authorities: [{ name: 'local', place }],
    permits: [
      {
        authority: 'local',
        email: 'guest@example.org',
        capabilities: [...capabilities],
        peer: guest.peer,
        lifetime: { kind: 'interval', from: 0, until: 1_000 * DAY_MS },
        place
      }
    ]
  }

  /** @param now what trust takes the time for @param clock what the machine says */
  function asked(now: number, clock: number | undefined, at: number): void {
    const sessions = new Sessions({
      permissions: { current: permits },
      audit: { record: () => undefined, close: () => undefined },
      now: () => now,
      ...(clock !== undefined && { clock: () => clock }),
      self: here.peer,
      nameOf: () => 'guest',
      onNothingLeft: () => undefined
    })
    const ask = sealAsk(guest, { to: here.peer, call: 'repair', at, goalId: '01JD00000000000000000000AA' })
    const { caller } = sessions.begin(guest.peer, '1')
    caller.onBehalf!([Buffer.from(ask).toString('base64')], { call: 'repair', goalId: '01JD00000000000000000000AA' }).require('goal:repair')
  }

  it('takes asks of its time by the machine, also after the clock was far ahead for a moment', () => {
    asked(500 * DAY_MS, 100 * DAY_MS, 100 * DAY_MS)
    assert.throws(() => asked(500 * DAY_MS, 100 * DAY_MS, 500 * DAY_MS), { code: 'CB_DENIED', message: /from another time/ })
  })

  it('takes asks by the time of trust where no other clock is', () => {
    asked(500 * DAY_MS, undefined, 500 * DAY_MS)
    assert.throws(() => asked(500 * DAY_MS, undefined, 100 * DAY_MS), { code: 'CB_DENIED' })
  })
})
