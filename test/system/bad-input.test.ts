import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Running, type Said, until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { type Mesh, type MeshNode, mesh, READY } from './mesh.ts'

/** The last lines of what a daemon says that does not start: what it logged before is not looked at. */
function complaint({ stderr }: Said): { error: string; next: string } {
  return { error: /^error: (.*)$/m.exec(stderr)?.[1] ?? stderr, next: /^next: (.*)$/m.exec(stderr)?.[1] ?? '' }
}

/** @throws when it does not end by itself */
async function refusalOf(daemon: Running): Promise<{ exit: number; error: string; next: string }> {
  const said = await Promise.race([
    daemon.ended,
    daemon.says(READY, 'stderr').then(() => {
      daemon.signal('SIGKILL')
      throw new Error('it started')
    })
  ])
  return { exit: said.exit, ...complaint(said) }
}

describe('a daemon that cannot start', function () {
  this.timeout(60_000)
  let m: Mesh
  let node: MeshNode
  before(async () => {
    m = await mesh(1, { started: false })
    node = m.node(1)
  })
  after(() => m?.stop())

  /** Changes a file of the home for as long as the daemon tries. */
  async function refusedWith(
    file: string,
    change: (text: string) => string,
    mode?: number
  ): Promise<Awaited<ReturnType<typeof refusalOf>>> {
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, change(text))
    if (mode !== undefined) chmodSync(file, mode)
    try {
      return await refusalOf(node.daemon())
    } finally {
      writeFileSync(file, text)
      chmodSync(file, file === node.home.identityKey ? 0o600 : 0o644)
    }
  }

  it('names the home that is missing, and what makes one', async () => {
    const { base, neighborhood } = node.home
    renameSync(neighborhood, `${neighborhood}.away`)
    try {
      const { exit, error, next } = await refusalOf(node.daemon())
      assert.deepEqual([exit, next], [1, `cloudburst init --home ${base}`])
      assert.match(error, new RegExp(`${neighborhood} does not exist`))
    } finally {
      renameSync(`${neighborhood}.away`, neighborhood)
    }
  })

  for (const [file, element] of [
    ['neighborhood', 'neighborhood'],
    ['permissions', 'permissions']
  ] as const) {
    it(`names the place in a ${file}.xml that is wrong, and guesses what was meant`, async () => {
      const path = node.home[file]
      const wrong = await refusedWith(path, text => text.replace(new RegExp(`</${element}>`), '<peeer/>\n$&'))
      assert.equal(wrong.exit, 1)
      assert.match(wrong.error, new RegExp(`^${path}:\\d+:\\d+: <${element}>: unknown element <peeer>`))
      assert.match(wrong.next, new RegExp(`^vi \\+\\d+ ${path}$`))
    })

    it(`names the place in a ${file}.xml that is no XML`, async () => {
      const path = node.home[file]
      const wrong = await refusedWith(path, text => text.replace(`</${element}>`, '</oops>'))
      assert.equal(wrong.exit, 1)
      assert.match(wrong.error, new RegExp(`^${path}:\\d+:\\d+: `))
      assert.notEqual(wrong.next, '')
    })
  }

  it('does not use a key that others may read', async () => {
    const wrong = await refusedWith(node.home.identityKey, text => text, 0o644)
    assert.deepEqual([wrong.exit, wrong.next], [1, `chmod 600 ${node.home.identityKey}`])
  })

  it('does not trust permissions that others may write', async () => {
    const wrong = await refusedWith(node.home.permissions, text => text, 0o666)
    assert.deepEqual([wrong.exit, wrong.next], [1, `chmod go-w ${node.home.permissions}`])
  })

  it('does not take a key that is none for one, and does not replace it', async () => {
    const wrong = await refusedWith(node.home.identityKey, () => 'no key\n')
    assert.equal(wrong.exit, 64)
    assert.match(wrong.error, new RegExp(node.home.identityKey))
  })

  it('names the address that another program has', async () => {
    const other = createServer().listen(node.port, '127.0.0.1')
    try {
      const { exit, error, next } = await refusalOf(node.daemon())
      assert.equal(exit, 1)
      assert.match(error, new RegExp(`/ip4/127.0.0.1/tcp/${node.port} cannot be listened on`))
      assert.match(next, /^cloudburstd --listen/)
    } finally {
      other.close()
    }
  })

  it('refuses an address that is none', async () => {
    const { exit, error, next } = await refusalOf(node.daemon('--listen', 'nonsense'))
    assert.notEqual(exit, 0)
    assert.match(error, /nonsense/)
    assert.notEqual(next, '')
    assert.doesNotMatch(error, /^\s+at /m)
  })

  it('says which option it does not know', async () => {
    const { exit, error, next } = await refusalOf(node.daemon('--frobnicate'))
    assert.deepEqual([exit, next], [64, 'cloudburstd --help'])
    assert.match(error, /--frobnicate/)
  })

  it('leaves nothing in the way of the next one', async () => {
    await node.start()
    assert.equal((await node.kill('SIGTERM')).exit, 0)
  })
})

describe('a daemon', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('keeps a second one off its home, and goes on', async () => {
    const node = m.node(1)
    const first = node.pid()
    const { exit, error, next } = await refusalOf(node.daemon())
    assert.equal(exit, 1)
    assert.match(error, /another daemon holds .*control\/socket/)
    assert.equal(next, `cloudburst hello --home ${node.home.base}`)
    assert.equal(node.pid(), first)
    assert.equal((await node.cli('hello')).exit, 0)
  })

  it('takes the place of one that was killed and left its socket', async () => {
    const node = m.node(1)
    await node.kill('SIGKILL')
    assert.ok(existsSync(node.home.socket))
    const { exit, stderr } = await node.cli('hello')
    assert.equal(exit, 1)
    assert.match(stderr, new RegExp(`^error: no daemon answers at ${node.home.socket}\nnext: cloudburstd --home ${node.home.base}\n$`))
    await node.start()
    assert.equal((await node.cli('hello')).exit, 0)
  })

  it('starts without permissions.xml, and permits nobody then', async () => {
    const node = m.node(1)
    await m.up()
    await node.kill('SIGTERM')
    const text = readFileSync(node.home.permissions)
    rmSync(node.home.permissions)
    await node.start()
    const said = await m.node(2).cli('hello', '--peer', 'n1')
    assert.equal(said.exit, 6, said.stderr)
    writeFileSync(node.home.permissions, text)
    await m.up()
  })

  it('keeps its permissions when new ones are wrong, and says so', async () => {
    const node = m.node(1)
    const text = readFileSync(node.home.permissions)
    writeFileSync(node.home.permissions, '<permissions><permitt/></permissions>')
    await until('n1 says what is wrong', () => /permissions\.xml:1:14: .*permitt/.test(node.log()))
    assert.equal((await m.node(2).cli('hello', '--peer', 'n1')).exit, 0)
    writeFileSync(node.home.permissions, text)
  })

  it('is told where a program is wrong, and goes on', async () => {
    const file = join(m.directory, 'wrong.xml')
    writeFileSync(file, '<cloudburst name="wrong">\n  <goalProto>\n</cloudburst>\n')
    for (const words of [
      ['load', file],
      ['dispatch', 'wrong', '--program', file, '--peer', 'n2'],
      ['pursue', file, 'wrong'],
      ['list', file]
    ]) {
      const said = await m.node(1).cli(...words)
      assert.equal(said.exit, 1, words.join(' ') + said.stderr)
      assert.match(said.stderr, new RegExp(`^error: ${file}:\\d+:\\d+: `))
      assert.match(said.stderr, /^next: /m)
    }
    assert.equal((await m.node(1).cli('hello')).exit, 0)
  })

  it('says that a peer is unknown, and where to look', async () => {
    for (const words of [
      ['dispatch', 'inventory', '--peer', 'n22'],
      ['hello', '--peer', 'n22'],
      ['run', '--peer', 'n22', '--', 'true']
    ]) {
      const said = await m.node(1).cli(...words)
      assert.equal(said.exit, 7, words.join(' '))
      assert.match(said.stderr, /^error: no peer is named n22 \(did you mean (n\d)\?\)\nnext: cloudburst .*--peer \1(?!\d)/)
    }
  })

  it('says that a peer is down within the time to accept, and does not send the goal later', async () => {
    await m.node(2).kill('SIGTERM')
    const job = work(m.directory, 'down', { open: true })
    const began = Date.now()
    const said = await m.node(1).cli('dispatch', ...job.words, '--peer', 'n2', '--timeout', '2s')
    assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`)
    assert.equal(said.exit, 7, said.stdout + said.stderr)
    assert.match(said.stdout, /n2 +unreachable/)
    assert.match(said.stderr, /^next: cloudburst peers/m)
    assert.equal((await m.node(1).cli('hello', '--peer', 'n2')).exit, 7)
    await m.node(2).start()
    await m.up()
    assert.deepEqual(await m.node(2).json('goals'), [])
    assert.deepEqual(job.ran(), [])
  })

  it('reaches a peer that comes back within the time to accept', async () => {
    await m.node(2).kill('SIGKILL')
    const job = work(m.directory, 'back', { open: true })
    const command = m.node(1).begin('dispatch', ...job.words, '--peer', 'n2', '--timeout', '20s')
    await m.node(2).start()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.equal(job.ran().length, 3)
  })
})
