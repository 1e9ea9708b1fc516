import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { tellMesh } from '../../../src/node/state/hearsay.ts'
import { loneReplica } from './lone-replica.ts'

describe('nodes that are known by what they publish', () => {
  it('are told to the mesh once, with where they are, and not when they say to be somebody else', async () => {
    const [ann, ben, carl] = [generateIdentity(), generateIdentity(), generateIdentity()]
    const [one, two, liar] = [loneReplica(ann, 'ann'), loneReplica(ben, 'ben'), loneReplica(carl, 'carl')]
    const addresses = { items: [{ value: '/ip4/192.0.2.1/tcp/4710' }] }
    two.publish([
      { path: 'peer', value: { value: ben.peer } },
      { path: 'addresses', value: addresses },
      { path: 'labels.role', value: { value: 'web' } }
    ])
    liar.publish([
      { path: 'peer', value: { value: ben.peer } },
      { path: 'addresses', value: addresses }
    ])
    const told: unknown[] = []
    const clock = {
      now: () => 0,
      sleep: async (_ms: number, signal?: AbortSignal) => void (await wait(1, undefined, signal && { signal }))
    }
    const end = tellMesh(one, { heardOf: node => void told.push(node) }, clock)
    for (const each of [two, liar]) for (const envelope of each.missing([]).envelopes) one.apply(envelope)
    await wait(20)
    two.publish([{ path: 'host.cpus', value: { value: 2 } }])
    for (const envelope of two.missing(one.heads()).envelopes) one.apply(envelope)
    await wait(20)
    end()
    assert.deepEqual(told, [{ peer: ben.peer, name: 'ben', version: '', labels: { role: 'web' }, addresses: ['/ip4/192.0.2.1/tcp/4710'] }])
  })
})
