import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { skip } from '../skip.ts'
import { type Mesh, mesh } from './mesh.ts'
import { type Terminal, terminal } from './mesh/terminal.ts'

/** Each step leaves its name in goal.place/ran; `three` also what goal.word is. */
const PROGRAM = `<?xml version="1.0" encoding="UTF-8"?>
<cloudburst name="steps">
  <goalProto name="steps">
    <variable name="place" type="localFilePath"/>
    <variable name="word">wrong</variable>
    <pre><defined><get>goal.place</get></defined></pre>
    <method name="m">
      <shell>
        <send name="one">echo one &gt;&gt; <get>goal.place</get>/ran</send>
        <send name="two">echo two &gt;&gt; <get>goal.place</get>/ran</send>
        <send name="three">echo three <get>goal.word</get> &gt;&gt; <get>goal.place</get>/ran</send>
        <send name="four">echo four &gt;&gt; <get>goal.place</get>/ran</send>
      </shell>
    </method>
  </goalProto>
</cloudburst>
`

describe('step by step across nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  let shell: Terminal | undefined
  let places = 0

  before(async function () {
    if (spawnSync('tmux', ['-V']).status !== 0) skip(this, 'needs tmux (Debian: tmux)')
    m = await mesh(3)
    writeFileSync(join(m.directory, 'steps.xml'), PROGRAM)
    const bin = join(m.directory, 'bin')
    mkdirSync(bin)
    writeFileSync(
      join(bin, 'cloudburst'),
      `#!/bin/sh\nexec ${process.execPath} ${join(import.meta.dirname, '../../dist/cloudburst.js')} "$@"\n`
    )
    chmodSync(join(bin, 'cloudburst'), 0o755)
  })
  beforeEach(() => {
    shell = terminal({ bin: join(m.directory, 'bin'), home: m.directory, env: { CLOUDBURST_HOME: m.node(1).home.base } })
  })
  afterEach(() => shell?.close())
  after(() => m?.stop())

  const place = (): string => {
    const made = join(m.directory, `place${++places}`)
    mkdirSync(made)
    return made
  }
  const ran = (where: string): string[] => {
    const file = join(where, 'ran')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const dispatch = (where: string, peers = '--peer n2'): string =>
    `cloudburst dispatch steps --program ${join(m.directory, 'steps.xml')} goal.place=${where} ${peers} --step`
  const newest = async (node: number): Promise<RunInfo> => (await m.node(node).json<readonly RunInfo[]>('goals'))[0]!

  it('yes does a step on the other node, skip passes over it, edited values hold from there on', async () => {
    const where = place()
    await shell!.types(dispatch(where), 'quit?')
    assert.deepEqual(ran(where), [], 'nothing runs before it is allowed')
    await shell!.types('y', 'quit?')
    assert.deepEqual(ran(where), ['one'])
    await shell!.types('s', 'quit?')
    assert.match(shell!.screen(), /three wrong/)
    await shell!.types('e', 'ends):')
    await shell!.types('goal.wrod=right', 'ends):')
    await shell!.types('', 'quit?')
    assert.match(shell!.screen(), /did you mean/, 'a value that nobody has is refused, and asked for again')
    await shell!.types('e', 'ends):')
    await shell!.types('goal.word=right', 'ends):')
    await shell!.types('', 'quit?')
    assert.match(shell!.screen(), /three right/)
    await shell!.types('y', 'quit?')
    await shell!.types('c', '$')
    assert.deepEqual(ran(where), ['one', 'three right', 'four'])
    assert.match(shell!.screen(), /n2 +completed/)
    assert.equal((await newest(2)).status, 'completed')
  })

  it('detach leaves; the goal does the rest by itself', async () => {
    const where = place()
    await shell!.types(dispatch(where), 'quit?')
    await shell!.types('d', '$')
    const { id } = await newest(2)
    assert.equal((await m.node(2).goal(id)).status, 'completed')
    assert.deepEqual(ran(where), ['one', 'two', 'three wrong', 'four'])
  })

  it('quit lets it wait; it is taken up at another node', async () => {
    const where = place()
    await shell!.types(dispatch(where), 'quit?')
    await shell!.types('y', 'quit?')
    await shell!.types('q', '$')
    const { id } = await newest(2)
    await shell!.types(`CLOUDBURST_HOME=${m.node(3).home.base} cloudburst repair ${id} --peer n2 --step`, 'quit?')
    await shell!.types('y', 'quit?')
    await shell!.types('c', '$')
    assert.deepEqual(ran(where), ['one', 'two', 'three wrong', 'four'])
  })

  it('pursue --peer asks too, and several peers are asked about one after the other', async () => {
    const file = join(m.directory, 'steps.xml')
    assert.equal((await m.node(2).cli('load', file)).exit, 0)
    const [one, many] = [place(), place()]
    await shell!.types(`cloudburst pursue steps goal.place=${one} --peer n2 --step`, 'quit?')
    await shell!.types('y', 'quit?')
    await shell!.types('c', '$')
    assert.deepEqual(ran(one), ['one', 'two', 'three wrong', 'four'])
    await shell!.types(dispatch(many, '--peer n2 --peer n3'), 'quit?')
    await shell!.types('c', 'quit?')
    await shell!.types('c', '$')
    assert.deepEqual(ran(many).filter(line => line === 'four').length, 2)
    assert.match(shell!.screen(), /n3 +completed/)
  })
})
