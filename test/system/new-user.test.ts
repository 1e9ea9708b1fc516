import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mesh, type MeshNode, mesh } from './mesh.ts'

const CLI = fileURLToPath(new URL('../../dist/cloudburst.js', import.meta.url))

describe('the CLI, to somebody who tries things,', function () {
  this.timeout(60_000)
  let m: Mesh
  let node: MeshNode
  before(async () => {
    m = await mesh(1)
    node = m.node(1)
    assert.equal((await node.cli('pursue', 'inventory')).exit, 0)
  })
  after(() => m?.stop())

  const odd: readonly { words: readonly string[]; exit: number; says: RegExp }[] = [
    { words: ['frobnicate'], exit: 64, says: /no command frobnicate/ },
    { words: ['goals', '--frobnicate'], exit: 64, says: /no option --frobnicate/ },
    { words: ['goals', '--suspnded'], exit: 64, says: /did you mean --suspended\?/ },
    { words: ['goals', '-o', 'xml'], exit: 64, says: /no output format xml/ },
    { words: ['goals', '--limit', '-1'], exit: 64, says: /--limit/ },
    { words: ['goal', ''], exit: 64, says: /goal needs the id/ },
    { words: ['goal', '01JNOSUCH'], exit: 1, says: /no goal 01JNOSUCH/ },
    { words: ['state', ''], exit: 64, says: /state needs a path/ },
    { words: ['state', 'nodes.nobody'], exit: 5, says: /nodes\.nobody is undefined/ },
    { words: ['pursue', 'nogoal'], exit: 1, says: /goal nogoal/ },
    { words: ['pursue', 'inventory', 'goal.foldrs=/x'], exit: 5, says: /did you mean goal\.folders\?/ },
    { words: ['pursue', 'inventory', '--set', 'goal.folders'], exit: 64, says: /not PATH=VALUE/ },
    { words: ['pursue', 'inventory', 'and', 'more'], exit: 64, says: /too many/ },
    { words: ['dispatch', 'inventory'], exit: 64, says: /needs --peer/ },
    { words: ['dispatch', 'inventory', '--all'], exit: 7, says: /no other node is known/ },
    { words: ['run', '--all', '--', 'true'], exit: 7, says: /no other node is known/ },
    { words: ['run'], exit: 64, says: /run needs a command/ },
    { words: ['load', '/'], exit: 1, says: /no program file/ },
    { words: ['load', '/nonexistent.xml'], exit: 1, says: /no file/ },
    { words: ['start', 'nothing'], exit: 1, says: /no program nothing/ },
    { words: ['start', 'inventory', '--name', '../up'], exit: 64, says: /cannot name an agent/ },
    { words: ['examine', 'nobody'], exit: 1, says: /no agent nobody/ },
    { words: ['init', '--join', 'cb1-secret'], exit: 64, says: /standard input/ },
    { words: ['completion', 'tcsh'], exit: 64, says: /tcsh/ }
  ]
  for (const { words, exit, says } of odd) {
    it(`answers “${words.join(' ')}” with exit ${exit}, one error line and what to type next`, async () => {
      const said = await node.cli(...words)
      assert.equal(said.exit, exit, said.stdout + said.stderr)
      assert.match(said.stderr, says)
      assert.match(said.stderr, /^error: \S.*\n(.*\n)*next: \S/m)
      assert.doesNotMatch(said.stderr, /^\s+at /m)
      assert.equal(said.stdout.trim(), '')
    })
  }

  it('gives each error as problem details too', async () => {
    const said = await node.cli('hello', '--peer', 'nobody', '-o', 'json')
    const problem = JSON.parse(said.stderr)
    assert.deepEqual([said.exit, problem.code, problem.status], [7, 'CB_PEER_UNKNOWN', 404])
    assert.equal(said.stdout, '')
  })

  it('takes words that begin with a sign after --', async () => {
    assert.equal((await node.cli('pursue', '--', 'inventory', 'goal.folders=/etc')).exit, 0)
  })

  it('prints YAML', async () => {
    const said = await node.cli('hello', '-o', 'yaml')
    assert.equal(said.exit, 0, said.stderr)
    assert.match(said.stdout, /^name: n1$/m)
  })

  it('makes nothing of what is no ticket', () => {
    const home = join(m.directory, 'fresh')
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'init', '--join', '-', '--home', home], {
      input: 'junk\n',
      encoding: 'utf8'
    })
    assert.equal(status, 6, stderr)
    assert.equal(existsSync(home), false)
  })

  for (const words of ['goals -o json', 'programs -o yaml', 'logs "$ID" --replay -e', 'run -- seq 1 200000', 'help']) {
    it(`says nothing when the reader of “${words}” has seen enough`, async () => {
      const [newest] = await node.json<readonly { id: string }[]>('goals')
      const [command, ...rest] = words.split(' ')
      const line = `"$NODE" "$CLI" ${command} --home "$HOME_DIR" ${rest.join(' ')} | head -n 1; exit "\${PIPESTATUS[0]}"`
      const env = { ...process.env, NODE: process.execPath, CLI, HOME_DIR: node.home.base, ID: newest!.id }
      const { status, stderr, stdout } = spawnSync('bash', ['-c', line], { env, encoding: 'utf8' })
      assert.deepEqual([status, stderr], [0, ''])
      assert.notEqual(stdout, '')
    })
  }

  it('does not mind a standard output that is closed', () => {
    const line = '"$NODE" "$CLI" goals --home "$HOME_DIR" >&-'
    const env = { ...process.env, NODE: process.execPath, CLI, HOME_DIR: node.home.base }
    const { stderr } = spawnSync('bash', ['-c', line], { env, encoding: 'utf8' })
    assert.doesNotMatch(stderr, /^\s+at /m)
  })

  const endless: readonly { words: readonly string[]; begun: RegExp; exit: number }[] = [
    { words: ['run', '--', 'sh', '-c', 'echo begun; sleep 2'], begun: /begun/, exit: 130 },
    { words: ['state', 'nodes', '--watch'], begun: /n1/, exit: 0 },
    { words: ['logs', 'ID', '--follow'], begun: /begun/, exit: 130 }
  ]
  for (const { words, begun, exit } of endless) {
    it(`ends “${words.join(' ')}” at ctrl-C with exit ${exit}`, async () => {
      const [newest] = await node.json<readonly { id: string }[]>('goals')
      const command = node.begin(...words.map(word => (word === 'ID' ? newest!.id : word)))
      await command.says(begun)
      command.signal('SIGINT')
      const said = await command.ended
      assert.equal(said.exit, exit, said.stderr)
      assert.doesNotMatch(said.stderr, /^\s+at /m)
    })
  }
})
