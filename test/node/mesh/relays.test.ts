import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Channel } from '../../../src/protocols/wire/channel.ts'
import { Testbed, type TestNode, until, up } from './testbed.ts'

const ECHO = '/test/echo/1'

function serveEcho(node: TestNode): void {
  node.mesh.handle(ECHO, async (channel, caller) => {
    caller.require('agency:hello')
    for (let message = await channel.read(); message !== undefined; message = await channel.read()) await channel.write(message)
  })
}

async function echoed(channel: Channel, message: unknown): Promise<unknown> {
  await channel.write(message)
  return await channel.read()
}

describe('a node that is reached through another', function () {
  this.timeout(20_000)
  let bed: Testbed
  beforeEach(() => {
    bed = new Testbed()
  })
  afterEach(() => bed.close())

  /** `hidden` listens at `relay`; `guest` is permitted at both, and knows only the relay. */
  async function trio(): Promise<{ relay: TestNode; hidden: TestNode; guest: TestNode; address: string }> {
    const [relay, hidden, guest] = [await bed.node('relay'), await bed.node('hidden'), await bed.node('guest')]
    for (const a of [relay, hidden, guest]) for (const b of [relay, hidden, guest]) if (a !== b) a.permit(b, ['agency:hello'])
    await relay.start()
    const at = `/ip4/127.0.0.1/tcp/${relay.port}/p2p/${relay.identity.peer}/p2p-circuit`
    const file = readFileSync(hidden.home.neighborhood, 'utf8')
    writeFileSync(
      hidden.home.neighborhood,
      file.replace(/(<listen[^>]*>)[^<]*(<\/listen>)|(<listen [^>]*\/>)/, found => `${found}\n  ${listenAt(found, at)}`)
    )
    hidden.neighborhood.reload()
    hidden.knows(relay)
    serveEcho(hidden)
    await hidden.start()
    guest.knows(relay)
    await guest.start()
    await Promise.all([up(hidden, relay), up(guest, relay)])
    return { relay, hidden, guest, address: `${at}/p2p/${hidden.identity.peer}` }
  }

  it('says so in its addresses, and answers there, for longer and more than a stranger would be relayed', async () => {
    const { hidden, guest, address } = await trio()
    await until(() => hidden.mesh.addresses().some(each => each.includes('/p2p-circuit')), 'hidden is reached through relay')
    guest.mesh.find(address)
    const channel = await guest.mesh.open(hidden.identity.peer, ECHO)
    const large = 'x'.repeat(300 * 1024)
    assert.equal(await echoed(channel, large), large)
    await channel.finish()
  })

  it('is reached again after its relay was away', async () => {
    const { relay, hidden, guest, address } = await trio()
    await relay.stop()
    await relay.start()
    await Promise.all([up(hidden, relay), up(guest, relay)])
    guest.mesh.find(address)
    const ends = Date.now() + 8_000
    for (;;) {
      try {
        const channel = await guest.mesh.open(hidden.identity.peer, ECHO)
        assert.equal(await echoed(channel, 'hello'), 'hello')
        return await channel.finish()
      } catch (error) {
        if (Date.now() > ends) throw error
      }
    }
  })

  it('is not relayed for somebody who has no permit at the relay', async () => {
    const { relay, hidden, address } = await trio()
    const stranger = await bed.node('stranger')
    hidden.permit(stranger, ['agency:hello'])
    await stranger.start()
    stranger.knows(relay)
    stranger.mesh.find(address)
    await assert.rejects(stranger.mesh.open(hidden.identity.peer, ECHO))
  })
})

/** One more element like the one that was found, for another address. */
function listenAt(found: string, address: string): string {
  return found.includes('</listen>') ? found.replace(/>[^<]*</, `>${address}<`) : found.replace(/"\/ip[^"]*"/, `"${address}"`)
}
