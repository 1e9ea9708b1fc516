import assert from 'node:assert/strict'
import type { Calls } from '../../src/node/control/contract.ts'
import { type Mesh, mesh } from '../system/mesh.ts'

describe('hello-world.xml', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(1)
  })
  after(() => m?.stop())

  const count = async (): Promise<unknown> => {
    const { variables } = await m.node(1).json<Calls['examine']['reply']>('examine', 'helloWorld')
    assert.equal(variables['count']?.type, 'int', 'a variable keeps its type')
    return [variables['count']?.value, variables['last']?.value]
  }
  const greet = async (...words: string[]): Promise<string> => {
    const { exit, stdout, stderr } = await m.node(1).cli('pursue', 'greet', '-e', ...words)
    assert.equal(exit, 0, stdout + stderr)
    return stdout
  }

  it('counts its greetings through kill -9 of the daemon, a clean restart, and forgets when it is told to', async () => {
    const started = await m.node(1).cli('start', 'hello-world')
    assert.equal(started.exit, 0, started.stderr)
    assert.match(await greet("goal.name=Ann O'Hara $HOME"), /\| hello Ann O'Hara \$HOME, from /)
    assert.deepEqual(await count(), [1, "Ann O'Hara $HOME"])
    await m.node(1).kill('SIGKILL')
    await m.node(1).start()
    assert.deepEqual(await count(), [1, "Ann O'Hara $HOME"])
    await greet()
    await m.node(1).restart()
    assert.deepEqual(await count(), [2, 'world'])
    const forgot = await m.node(1).cli('pursue', 'forget')
    assert.equal(forgot.exit, 0, forgot.stdout)
    assert.deepEqual(await count(), [0, ''])
  })

  it('says what it has said as a result of the goal', async () => {
    await greet('goal.name=Bob')
    const [newest] = await m.node(1).json<Calls['goals']['reply']>('goals')
    assert.match(String(newest?.results?.['said']?.value), /^hello Bob, from /)
  })
})
