import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type Mesh, type MeshNode, mesh } from './mesh.ts'

/** Planted where a dispatch carries it: a variable, the program, what a step prints, why a goal is repaired. */
const PLANTED = { value: 'planted-value-7291', text: 'planted-describe-3380', output: 'planted-output-5514', why: 'planted-reason-6627' }
/** What every dispatch says by itself. */
const WORDS = [
  'goal:dispatch',
  'acceptBefore',
  'step-ended',
  'tapped-goal',
  'assignments',
  '<cloudburst',
  '/cloudburst/dispatch/1',
  'capabilities'
]

/** A wire between a node and everybody: what goes over it, in both directions, is kept. */
interface Tap {
  readonly port: number
  bytes(): Buffer
  close(): void
}

async function tap(to: number): Promise<Tap> {
  const seen: Buffer[] = []
  const server: Server = createServer(from => {
    const there = createConnection(to, '127.0.0.1')
    for (const [a, b] of [
      [from, there],
      [there, from]
    ] as const) {
      a.on('data', (chunk: Buffer) => seen.push(chunk))
      a.on('error', () => b.destroy())
      a.on('close', () => b.destroy())
      a.pipe(b)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return { port, bytes: () => Buffer.concat(seen), close: () => void server.close() }
}

/** Everybody, itself included, says of a node what its tap listens on. */
function through(node: MeshNode, others: readonly MeshNode[], port: number): void {
  const address = `/ip4/127.0.0.1/tcp/${port}`
  const own = readFileSync(node.home.neighborhood, 'utf8')
  writeFileSync(node.home.neighborhood, own.replace('</listen>', `</listen>\n    <announce>${address}</announce>`))
  for (const other of others) {
    const text = readFileSync(other.home.neighborhood, 'utf8')
    writeFileSync(other.home.neighborhood, text.replace(`/ip4/127.0.0.1/tcp/${node.port}<`, `${address}<`))
  }
}

describe('the wire between two nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  const taps: Tap[] = []
  before(async () => {
    m = await mesh(2, { started: false })
    for (const [node, other] of [
      [m.node(1), m.node(2)],
      [m.node(2), m.node(1)]
    ] as const) {
      taps.push(await tap(node.port))
      through(node, [other], taps.at(-1)!.port)
    }
    await Promise.all([m.node(1).start(), m.node(2).start()])
    await m.up()
  })
  after(async () => {
    await m?.stop()
    for (const each of taps) each.close()
  })

  it('shows nothing of a dispatch, its program, values and output, nor of its repair', async () => {
    const file = join(m.directory, 'tapped.xml')
    writeFileSync(
      file,
      `<cloudburst name="tapped"><goalProto name="tapped-goal"><describe>${PLANTED.text}</describe>
        <variable name="value"/><variable name="exit">1</variable>
        <method name="m"><shell><send>echo ${PLANTED.output}; head -c 100000 /dev/zero | tr '\\0' x; exit <get>goal.exit</get></send></shell></method>
      </goalProto></cloudburst>`
    )
    const sent = await m
      .node(1)
      .cli('dispatch', 'tapped-goal', '--program', file, '--peer', 'n2', `goal.value=${PLANTED.value}`, '-e', '-v')
    assert.equal(sent.exit, 3, sent.stdout + sent.stderr)
    assert.ok((sent.stdout + sent.stderr).includes(PLANTED.output), 'the output came over')
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(sent.stdout)![0]
    const repaired = await m.node(1).cli('repair', id, 'goal.exit=0', '--why', PLANTED.why)
    assert.equal(repaired.exit, 0, repaired.stdout + repaired.stderr)

    const wire = Buffer.concat(taps.map(each => each.bytes()))
    console.log(`        ${wire.length} bytes captured`)
    assert.ok(wire.includes('/multistream/1.0.0') && wire.includes('/noise'), 'the tap sees how a connection begins')
    assert.ok(wire.length > 100_000, `${wire.length} bytes: the dispatch went another way`)
    for (const text of [...Object.values(PLANTED), ...WORDS, id, 'x'.repeat(64)]) {
      for (const encoding of ['utf8', 'utf16le', 'base64'] as const) {
        const bytes =
          encoding === 'base64'
            ? Buffer.from(Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1))
            : Buffer.from(text, encoding)
        assert.ok(!wire.includes(bytes), `${text} went over the wire as ${encoding}`)
      }
    }
  })

  it('is encrypted, or the node does not start', async () => {
    const { home } = m.node(1)
    const before = readFileSync(home.neighborhood, 'utf8')
    writeFileSync(home.neighborhood, before.replace('required="noise"', 'required="none"'))
    await m.node(1).kill('SIGTERM')
    const failed = await m.node(1).daemon().ended
    assert.notEqual(failed.exit, 0)
    assert.match(failed.stderr, /encryption none is not offered: noise is, and nothing unencrypted ever/)
    writeFileSync(home.neighborhood, before)
  })

  it('is not spoken plainly when somebody asks for that', async () => {
    const socket = createConnection(m.node(2).port, '127.0.0.1')
    let said = ''
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    const line = (text: string): Buffer => Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)])
    socket.write(Buffer.concat([line('/multistream/1.0.0'), line('/plaintext/2.0.0')]))
    await new Promise(resolve => socket.once('close', resolve))
    assert.doesNotMatch(said.replace('/multistream/1.0.0', ''), /plaintext/)
  })
})
