import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { complain, ENVIRONMENT_SECRET, lookAndRemove, lookInText, plant } from './mesh/planted.ts'
import { start } from './mesh/process.ts'
import { type Mesh, mesh } from './mesh.ts'

/** What the look after every test would overlook, no test would notice. */
describe('the look for secrets after each test', function () {
  this.timeout(30_000)
  let m: Mesh
  before(async () => {
    m = await mesh(1, { started: false })
  })
  after(() => m?.stop())

  it('finds nothing in a home as it is made', () => complain())

  it('finds the key of a node in its state, in any form', () => {
    const { home } = m.node(1)
    const line = readFileSync(home.identityKey, 'utf8').split('\n')[1]!
    const seed = Buffer.from(line, 'base64').subarray(-32)
    for (const text of [line, seed, seed.toString('hex'), seed.toString('base64')]) {
      const file = join(home.state, 'leak')
      writeFileSync(file, Buffer.concat([Buffer.from('x'), Buffer.from(text), Buffer.from('y')]))
      assert.throws(complain, /the key of n1 in .*state\/leak/)
      rmSync(file)
      complain()
    }
  })

  it('finds what a test planted everywhere but in sealed files', () => {
    const { home } = m.node(1)
    plant('planted-here-4471')
    const file = join(home.state, 'journal.log')
    writeFileSync(file, 'value: planted-here-4471')
    assert.throws(complain, /the planted plan… in .*journal\.log/)
    rmSync(file)
  })

  it('finds it in what a test without a mesh leaves, and what is printed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cb-'))
    mkdirSync(join(directory, 'solo'))
    writeFileSync(join(directory, 'solo', 'output'), `PATH=/bin\nX=${ENVIRONMENT_SECRET}`)
    assert.throws(() => lookAndRemove(directory), /a value of the environment in .*solo\/output/)
    assert.ok(!existsSync(directory))
    assert.throws(() => lookInText('what is printed', `X=${ENVIRONMENT_SECRET}`), /a value of the environment in what is printed/)
    complain()
  })

  it('finds it in the arguments of a process', async () => {
    const telling = start('tail', ['-f', '/dev/null', ENVIRONMENT_SECRET], process.env)
    try {
      const end = Date.now() + 5_000
      let said = ''
      while (said === '' && Date.now() < end) {
        try {
          complain()
          await new Promise(resolve => setImmediate(resolve))
        } catch (error) {
          said = String(error)
        }
      }
      assert.match(said, /a value of the environment in the arguments of process \d+/)
    } finally {
      telling.signal('SIGKILL')
      await telling.ended
      try {
        complain()
      } catch {
        // Seen once more before it ended.
      }
    }
  })
})
