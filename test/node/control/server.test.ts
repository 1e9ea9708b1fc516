import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudburstError } from '../../../src/errors.ts'
import { bindControl, BODY_BYTES_MAX, type ControlBinding, type ControlHandlers } from '../../../src/node/control/server.ts'
import { SOCKET_PATH_BYTES_MAX } from '../../../src/node/files/socket-path.ts'
import { eventsOf, failing, fakeAgency, noLocalCalls, replay } from '../../fakes/agency.ts'

describe('the control API', () => {
  let directory: string
  let path: string
  let binding: ControlBinding | undefined

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
    path = join(directory, 'control/socket')
  })

  afterEach(async () => {
    await binding?.stop()
    binding = undefined
    rmSync(directory, { recursive: true, force: true })
  })

  const serve = async (some: Partial<ControlHandlers>): Promise<void> => {
    binding = await bindControl(path)
    binding.serve({ agency: fakeAgency({}), agencyOf: unknownPeer, local: noLocalCalls, by, ...some })
  }

  it('answers a call with its reply, as the person at the socket', async () => {
    const agency = fakeAgency({ stop: ({ agent }) => ({ ...agentInfo, name: agent }) })
    await serve({ agency })
    const { status, body } = await post(path, '/api/v1/calls/stop', { agent: 'web' })
    assert.deepEqual([status, body], [200, { ...agentInfo, name: 'web' }])
    assert.deepEqual(agency.asked, [{ name: 'stop', request: { agent: 'web' }, by }])
  })

  it('passes a call with a peer on to that peer', async () => {
    const there = fakeAgency({ goals: () => [] })
    await serve({ agencyOf: async selector => ({ agency: selector === 'os=linux' ? there : fakeAgency({}), peer: 'p' }) })
    assert.deepEqual((await post(path, '/api/v1/calls/goals?peer=os%3Dlinux', {})).body, [])
    assert.equal(there.asked.length, 1)
  })

  it('answers calls of this node alone', async () => {
    await serve({})
    assert.deepEqual((await post(path, '/api/v1/local/peers', {})).body, [])
  })

  it('describes an error as problem details, with the status of its code', async () => {
    await serve({})
    const { status, type, body } = await post(path, '/api/v1/calls/hello?peer=nobody', {})
    assert.equal(status, 404)
    assert.equal(type, 'application/problem+json')
    assert.deepEqual(body, {
      type: 'urn:cloudburst:error:CB_PEER_UNKNOWN',
      title: 'peer unknown',
      status: 404,
      detail: 'no peer nobody',
      code: 'CB_PEER_UNKNOWN',
      details: { peer: 'nobody' },
      next: 'cloudburst peers'
    })
  })

  const refused: ReadonlyArray<{ it: string; route: string; body: unknown; status: number }> = [
    { it: 'an unknown route', route: '/api/v2/calls/hello', body: {}, status: 400 },
    { it: 'an unknown call', route: '/api/v1/calls/constructor', body: {}, status: 400 },
    { it: 'a stream asked for as a call', route: '/api/v1/calls/events', body: {}, status: 400 },
    { it: 'a call asked for as a stream', route: '/api/v1/streams/hello', body: {}, status: 400 },
    { it: 'an unknown local call', route: '/api/v1/local/constructor', body: {}, status: 400 },
    { it: 'a body that is no object', route: '/api/v1/calls/hello', body: [1], status: 400 },
    { it: 'a body that is too long', route: '/api/v1/calls/hello', body: { x: 'x'.repeat(BODY_BYTES_MAX) }, status: 413 }
  ]
  for (const { it: name, route, body, status } of refused) {
    it(`refuses ${name}`, async () => {
      await serve({ agency: fakeAgency({ hello: () => assert.fail('was called') }) })
      assert.equal((await post(path, route, body)).status, status)
    })
  }

  it('refuses anything but POST', async () => {
    await serve({})
    const response = await responseOf(httpRequest({ socketPath: path, path: '/api/v1/calls/hello', method: 'GET' }).end())
    assert.equal(response.statusCode, 400)
    response.resume()
  })

  it('streams items as lines, after the version', async () => {
    const events = eventsOf(failing)
    await serve({ agency: fakeAgency({}, { events: ({ from }) => replay(events, from) }) })
    const response = await open(path, '/api/v1/streams/events', { id: 'x', from: 9 })
    assert.deepEqual(
      (await textOf(response))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
      [{ type: 'version', version: 1 }, ...events.slice(8).map(event => ({ type: 'event', event }))]
    )
  })

  it('ends a stream that fails with the error as its last line', async () => {
    await serve({
      agency: fakeAgency(
        {},
        {
          events: async function* () {
            yield { type: 'waiting', reason: 'peer away' }
            throw new CloudburstError('CB_RUN_UNKNOWN', 'no goal x')
          }
        }
      )
    })
    const last = JSON.parse((await textOf(await open(path, '/api/v1/streams/events', { id: 'x' }))).trim().split('\n').at(-1) ?? '')
    assert.deepEqual([last.type, last.error.code], ['error', 'CB_RUN_UNKNOWN'])
  })

  it('stops a stream whose client has left', async () => {
    let left!: () => void
    const stopped = new Promise<void>(resolve => {
      left = resolve
    })
    await serve({
      agency: fakeAgency(
        {},
        {
          events: async function* (_, signal) {
            yield { type: 'waiting', reason: 'first' }
            await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()))
            left()
          }
        }
      )
    })
    const response = await open(path, '/api/v1/streams/events', { id: 'x' })
    await once(response, 'readable')
    response.destroy()
    await stopped
  })

  it('asks for no more items than a slow reader takes', async () => {
    let asked = 0
    const text = 'x'.repeat(64 * 1024)
    await serve({
      agency: fakeAgency(
        {},
        {
          events: async function* () {
            for (; asked < 2000; asked++) yield { type: 'waiting', reason: text }
          }
        }
      )
    })
    const response = await open(path, '/api/v1/streams/events', { id: 'x' })
    await settled(() => asked)
    assert.ok(asked < 200, `${asked} items were asked for though nobody read`)
    response.resume()
    await once(response, 'end')
    assert.equal(asked, 2000)
  })

  it('tells clients of a stream that the daemon stops', async () => {
    let ask!: () => void
    const askedAgain = new Promise<void>(resolve => {
      ask = resolve
    })
    await serve({
      agency: fakeAgency(
        {},
        {
          events: async function* (_, signal) {
            yield { type: 'waiting', reason: 'first' }
            ask()
            await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()))
          }
        }
      )
    })
    const text = textOf(await open(path, '/api/v1/streams/events', { id: 'x' }))
    await askedAgain
    await binding?.stop()
    binding = undefined
    assert.equal(JSON.parse((await text).trim().split('\n').at(-1) ?? '').error.code, 'CB_NO_DAEMON')
  })

  it('lets requests wait that come before the daemon is ready', async () => {
    binding = await bindControl(path)
    const early = post(path, '/api/v1/local/peers', {})
    binding.serve({ agency: fakeAgency({}), agencyOf: unknownPeer, local: noLocalCalls, by })
    assert.equal((await early).status, 200)
  })

  it('lets in only the owner', async () => {
    await serve({})
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
  })

  it('refuses a second daemon, which leaves the first as it is', async () => {
    await serve({})
    await assert.rejects(bindControl(path), { code: 'CB_ALREADY_RUNNING' })
    assert.equal((await post(path, '/api/v1/local/peers', {})).status, 200)
  })

  it('takes over from a daemon that died', async () => {
    const dead = createServer()
    const deadPath = join(directory, 'dead')
    dead.listen(deadPath)
    await once(dead, 'listening')
    // A hard link outlives the server's own clean-up: what a killed daemon leaves.
    mkdirSync(join(path, '..'))
    linkSync(deadPath, path)
    dead.close()
    await once(dead, 'close')
    assert.ok(existsSync(path))
    await serve({})
    assert.equal((await post(path, '/api/v1/local/peers', {})).status, 200)
  })

  it('lets one of two daemons win that start at once', async () => {
    const results = await Promise.allSettled([bindControl(path), bindControl(path)])
    const won = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    binding = won[0]
    assert.equal(won.length, 1)
  })

  it('removes its socket when it stops', async () => {
    await serve({})
    await binding?.stop()
    binding = undefined
    assert.equal(existsSync(path), false)
  })

  it('names the limit when the path is too long for a socket', async () => {
    await assert.rejects(bindControl(join(directory, 'x'.repeat(SOCKET_PATH_BYTES_MAX))), {
      code: 'CB_USAGE',
      message: /choose a shorter --home/
    })
  })
})

const by = { peer: '12D3KooWSelf', node: 'node1', email: 'me@example.org' }
const agentInfo = {
  name: '',
  program: { name: 'site', hash: 'ab' },
  proto: 'web',
  status: 'stopped',
  startedAt: 0,
  goals: { running: 0, suspended: 0 }
} as const

async function unknownPeer(peer: string): Promise<never> {
  throw new CloudburstError('CB_PEER_UNKNOWN', `no peer ${peer}`, { peer })
}

async function post(
  socketPath: string,
  route: string,
  body: unknown
): Promise<{ status: number | undefined; type: string | undefined; body: unknown }> {
  const response = await open(socketPath, route, body)
  return { status: response.statusCode, type: response.headers['content-type'], body: JSON.parse(await textOf(response)) }
}

async function open(socketPath: string, path: string, body: unknown): Promise<IncomingMessage> {
  return await responseOf(httpRequest({ socketPath, path, method: 'POST' }).end(JSON.stringify(body)))
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Resolves once a number has stopped changing for some turns of the event loop. */
async function settled(value: () => number): Promise<void> {
  for (let before = -1, same = 0; same < 50; before = value()) {
    same = value() === before ? same + 1 : 0
    await new Promise(resolve => setImmediate(resolve))
  }
}
