import assert from 'node:assert/strict'
import { join } from 'node:path'
import { cli } from '../../../src/cli/cli.ts'
import { CONTROL_SOCKET, type Agency, type Tree } from '../../../src/node/control/contract.ts'
import { bindControl, type ControlBinding } from '../../../src/node/control/server.ts'
import { fakeAgency, noLocalCalls } from '../../fakes/agency.ts'
import { fakeIo } from '../../fakes/io.ts'
import { temporaryDirectory } from '../../node/store/temporary-directory.ts'

const by = { peer: '12D3KooWSelf', node: 'node1' }

describe('cloudburst state', () => {
  const directory = temporaryDirectory()
  let home: string
  let daemon: ControlBinding | undefined

  beforeEach(() => {
    home = directory()
  })
  afterEach(async () => {
    await daemon?.stop()
    daemon = undefined
  })

  const serve = async (agency: Agency): Promise<void> => {
    daemon = await bindControl(join(home, CONTROL_SOCKET))
    daemon.serve({ agency, agencyOf: async () => assert.fail('no peer is asked'), local: noLocalCalls, by })
  }

  it('says where a path of state ends that has no value, and what was meant', async () => {
    const nodes = { fields: { node1: { fields: { x: { value: 1 } } } } }
    const values: Record<string, Tree> = { nodes, 'nodes.node1': nodes.fields.node1! }
    await serve(fakeAgency({ state: async ({ path }) => (values[path] === undefined ? {} : { value: values[path] }) }))
    for (const [path, says, next] of [
      ['nodes.node9.x', 'nodes.node9.x is undefined (did you mean nodes.node1.x?)', 'state --home HOME nodes.node1.x'],
      ['nodes.node1.far.off', 'nodes.node1.far.off is undefined', 'state --home HOME nodes.node1'],
      ['nowhere', 'nowhere is undefined', 'state --home HOME nodes']
    ] as const) {
      const io = fakeIo()
      const exit = await cli(['state', '--home', home, path], io)
      const { stderr } = io.said
      assert.deepEqual([exit, stderr.replaceAll(home, 'HOME')], [5, `error: ${says}\nnext: cloudburst ${next}\n`])
    }
  })

  it('prints each change of a value until ctrl-C', async () => {
    const interrupted = new AbortController()
    await serve(
      fakeAgency(
        {},
        {
          watch: async function* ({ path }, signal) {
            yield { path, at: 0, value: { value: 'a\u001b[2J' } }
            yield { path, at: 1000 }
            await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()))
          }
        }
      )
    )
    const io = fakeIo({ interrupted: interrupted.signal })
    const watching = cli(['state', 'nodes.node2.x', '--watch', '--home', home], io)
    await until(() => io.said.stdout.includes('undefined'))
    interrupted.abort()
    assert.equal(await watching, 0)
    assert.equal(
      io.said.stdout,
      '1970-01-01T00:00:00.000Z nodes.node2.x = a\\x1b[2J\n1970-01-01T00:00:01.000Z nodes.node2.x = (undefined)\n'
    )
  })
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
