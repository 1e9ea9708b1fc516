import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { skip } from '../../skip.ts'
import { Testbed, type TestNode } from './testbed.ts'

const GROUP = '224.0.0.251'
const SERVICE = '_cloudburst-test._udp.local'
/** An answer that is to come has come by then, in milliseconds; so long it is also waited for one that is not to come. */
const ANSWER_WITHIN_MS = 1_500

describe('multicast DNS', function () {
  this.timeout(20_000)
  let bed: Testbed
  let socket: Socket
  before(async function () {
    socket = createSocket({ type: 'udp4', reuseAddr: true })
    try {
      socket.bind(5353)
      await once(socket, 'listening')
      socket.addMembership(GROUP)
      socket.setMulticastLoopback(true)
    } catch (error) {
      skip(this, `no multicast here: ${error instanceof Error ? error.message : error}`)
    }
  })
  after(() => void socket.close())
  beforeEach(() => {
    bed = new Testbed()
  })
  afterEach(() => bed.close())

  /** A node whose neighborhood.xml says this about mDNS. */
  async function started(mdns: string): Promise<TestNode> {
    const node = await bed.node('quite-a-secret-name')
    const text = readFileSync(node.home.neighborhood, 'utf8')
    writeFileSync(
      node.home.neighborhood,
      text.replace(/<mdns [^>]*>/, `<mdns service="${SERVICE}" ${mdns}/>`).replace('127.0.0.1/', '0.0.0.0/')
    )
    node.neighborhood.reload()
    await node.start()
    return node
  }

  /** All datagrams about our service: what was asked, and what was answered, until an answer came or is overdue. */
  async function heard(peer: string): Promise<{ answers: string[]; all: string[] }> {
    const all: string[] = []
    const label = SERVICE.split('.')[0]!
    const listen = (bytes: Buffer): void => {
      const text = bytes.toString('latin1')
      if (text.includes(label)) all.push(text)
    }
    socket.on('message', listen)
    const question = Buffer.concat([
      Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      ...SERVICE.split('.').map(part => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])),
      Buffer.from([0, 0, 12, 0, 1])
    ])
    const asking = setInterval(() => socket.send(question, 5353, GROUP), 100)
    const answers = (): string[] => all.filter(text => text.includes(peer))
    const end = Date.now() + ANSWER_WITHIN_MS
    while (Date.now() < end && answers().length === 0) await once(AbortSignal.timeout(20), 'abort')
    clearInterval(asking)
    socket.off('message', listen)
    return { answers: answers(), all }
  }

  it('tells the peer id and addresses of a node, and nothing else', async function () {
    const node = await started('enabled="true"')
    const { answers, all } = await heard(node.identity.peer)
    if (all.length === 0) skip(this, 'multicast does not come back here')
    assert.ok(answers.length > 0, 'it answers')
    for (const text of all) {
      for (const secret of ['quite-a-secret-name', 'agency:', '0.0.1', 'libp2p', 'permit', '127.0.0.1'])
        assert.ok(!text.includes(secret), `${secret} is announced`)
      // A whole word: keys, and names made up by chance, have any two letters in them.
      assert.ok(!text.split(/[^\w.-]/).includes(hostname()), `${hostname()} is announced`)
    }
    const told = answers[0]!.match(/[a-z]+=[\x21-\x7e]+/g) ?? []
    assert.ok(
      told.length > 0 && told.every(word => word.startsWith('dnsaddr=/ip') && word.includes(`/p2p/${node.identity.peer}`)),
      told.join(' ')
    )
  })

  for (const off of ['enabled="false"', 'announce="false"']) {
    it(`tells nothing with ${off}`, async () => {
      const node = await started(off)
      assert.deepEqual((await heard(node.identity.peer)).answers, [])
    })
  }
})
