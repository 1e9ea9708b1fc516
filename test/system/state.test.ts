import assert from 'node:assert/strict'
import { request } from 'node:http'
import { ConfigMonitor, ConfigUpdater, connect } from '../../src/library.ts'
import { TICKET_CAPABILITIES } from '../../src/node/joining/tickets.ts'
import { until } from './mesh/process.ts'
import { type Mesh, mesh, type MeshNode } from './mesh.ts'

/** n1 may do at n2 what only an administrator may. */
const permits = (host: string, guest: string) => ({
  capabilities: host === 'n2' && guest === 'n1' ? ([...TICKET_CAPABILITIES, 'permission:admin'] as const) : TICKET_CAPABILITIES
})

describe('the state of all nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3, { permits })
  })
  after(() => m?.stop())

  /** What a command prints, once it does so without an error. */
  const known = (node: MeshNode, ...words: string[]): Promise<string> =>
    until(`${node.name} says ${words.join(' ')}`, async () => {
      const { exit, stdout } = await node.cli(...words)
      return exit === 0 && stdout
    })

  it('is set at its owner from any node, with a check of what the asker saw, and told with its origin', async () => {
    assert.equal((await m.node(1).cli('state', 'set', 'nodes.n2.shared.release=41')).exit, 0)
    assert.equal((await m.node(1).cli('state', 'set', 'nodes.n2.shared.release=42', '--revision', '1')).exit, 0)
    const late = await m.node(3).cli('state', 'set', 'nodes.n2.shared.release=43', '--revision', '1')
    assert.equal(late.exit, 5)
    assert.match(late.stderr, /shared\.release has changed: it is 42 at revision 2, not at 1/)
    const said = await until('n3 knows', async () => {
      const { stdout } = await m.node(3).cli('state', 'why', 'nodes.n2.shared.release')
      return stdout.includes('42') && stdout
    })
    assert.match(said, new RegExp(`nodes.n2.shared.release +42 +2 .* ${m.node(2).peer}`))
    assert.match(await known(m.node(3), 'state', 'history', 'nodes.n2.shared'), /release +42/)
    const wrong = await m.node(1).cli('state', 'set', 'nodes.n2.host.arch=z80')
    assert.match(wrong.stderr, /cannot be set: only variables of agents .* and shared values/)
  })

  it('is watched and changed by programs: every change of several at once is made', async () => {
    const [here, there] = [connect(m.node(1).home.state.replace(/\/state$/, '')), connect(m.node(3).home.state.replace(/\/state$/, ''))]
    try {
      const path = 'nodes.n2.shared.count'
      const add = (connection: typeof here): Promise<number> =>
        new ConfigUpdater(node => connection.agency(node), connection.by).change(path, now => ({ value: Number(now?.value ?? 0) + 1 }))
      const stop = new AbortController()
      const seen: unknown[] = []
      const watching = (async () => {
        for await (const { value } of new ConfigMonitor(there.agency(), there.by).watch(path, { signal: stop.signal }))
          seen.push(value?.value)
      })().catch(() => undefined)
      await Promise.all([add(here), add(there), add(here), add(there)])
      await until('n3 has seen the last change', async () => seen.at(-1) === 4)
      stop.abort()
      await watching
      assert.deepEqual(await new ConfigMonitor(here.agency('n2'), here.by).get(path), { value: 4 })
    } finally {
      here.close()
      there.close()
    }
  })

  it('is carried by hand over HTTP, as it was signed', async () => {
    const socketPath = m.node(1).home.socket
    const given = await http(socketPath, 'GET', '/api/v1/state-updates')
    assert.equal(given.status, 200)
    const { updates } = JSON.parse(given.text) as { updates: unknown[] }
    assert.ok(updates.length > 0)
    const taken = JSON.parse((await http(m.node(3).home.socket, 'POST', '/api/v1/state-updates', { updates })).text)
    assert.ok((taken.verdicts as { verdict: string }[]).every(({ verdict }) => ['known', 'stale', 'own', 'applied'].includes(verdict)))
  })

  it('is known of others after a restart, before any of them is there', async () => {
    await known(m.node(1), 'state', 'nodes.n3.host.arch')
    for (const number of [1, 2, 3]) await m.node(number).kill('SIGTERM')
    await m.node(1).start()
    await known(m.node(1), 'state', 'nodes.n3.host.arch')
    assert.equal((await m.node(1).cli('state', 'why', 'nodes.n2.shared.release')).exit, 0)
  })

  it('is rid of a node that is gone for good, here and where the one who says so may, until it comes back', async () => {
    await m.node(2).start()
    assert.equal((await m.node(1).cli('state', 'forget', 'n3', '--why', 'scrapped')).exit, 0)
    for (const number of [1, 2])
      await until(`n${number} has forgotten`, async () => (await m.node(number).cli('state', 'nodes.n3')).exit !== 0)
    assert.match((await m.node(1).cli('state', 'accept-fork', 'n2')).stderr, /has not forked/)
    await m.node(3).start()
    for (const number of [1, 2]) await known(m.node(number), 'state', 'nodes.n3.host.arch')
  })
})

function http(socketPath: string, method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
