import assert from 'node:assert/strict'
import { capabilities, type Capability } from '../../../src/crypto/capability.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { callCapability, type Agency, type CallName, type StreamName } from '../../../src/protocols/agency/calls.ts'
import { remoteAgency } from '../../../src/protocols/agency/client.ts'
import { AGENCY_LIMITS, agencyHandler } from '../../../src/protocols/agency/server.ts'
import { callShapes, streamShapes } from '../../../src/protocols/agency/shapes.ts'
import { callerWith } from '../../fakes/caller.ts'
import { channelPair, dialerTo } from '../../fakes/channel-pair.ts'

const SERVER = '12D3KooWServer1111111111111111111111111111'
const by = { peer: 'me', node: 'me' }

/** A request of the right shape for every row of the table. */
const requests: Record<CallName | StreamName, object> = {
  hello: {},
  programs: {},
  program: { program: 'site' },
  load: { files: [{ name: 'site.xml', text: '<cloudburst/>' }] },
  list: { program: 'site' },
  agents: {},
  start: { program: 'site', agent: 'web', assignments: [{ path: 'agent.port', value: '80' }] },
  examine: { agent: 'web' },
  suspend: { agent: 'web' },
  resume: { agent: 'web' },
  stop: { agent: 'web' },
  plan: { goal: 'publish', program: 'site', assignments: [] },
  explain: { path: 'nodes' },
  history: { path: 'nodes' },
  update: { changes: [{ path: 'shared.note', value: 'x' }] },
  forget: { node: 'gone' },
  acceptfork: { node: 'gone' },
  release: {},
  upgrade: { artifact: 'ab'.repeat(32), release: `1.0.0-${'ab'.repeat(6)}`, withinMs: 1_000 },
  keeprelease: { release: `1.0.0-${'ab'.repeat(6)}` },
  anticipate: { goal: 'publish', program: 'site', assignments: [] },
  pursue: { goal: 'publish', program: 'site', assignments: [{ path: 'goal.seeds', value: { type: 'list', items: [{ value: 1 }] } }] },
  goals: { suspended: true },
  goal: { id: '01J' },
  repair: { id: '01J', assignments: [] },
  preview: { id: '01J', assignments: [] },
  cancel: { id: '01J', why: 'no longer wanted' },
  suspendgoal: { id: '01J', why: 'not now' },
  resumegoal: { id: '01J' },
  state: { path: 'nodes' },
  inventory: {},
  events: { id: '01J', from: 1, follow: true },
  watch: { path: 'nodes' }
}

/** Answers every call with its name and notes what reached it. */
function recordingAgency(): Agency & { effects: string[] } {
  const effects: string[] = []
  return {
    effects,
    async call(name: string) {
      effects.push(name)
      return { was: name } as never
    },
    async *stream(name: string) {
      effects.push(name)
      yield { was: name } as never
    }
  }
}

async function ask(agency: Agency, name: CallName | StreamName): Promise<unknown> {
  if (Object.hasOwn(callShapes, name)) return agency.call(name as CallName, requests[name] as never, by)
  for await (const item of agency.stream(name as StreamName, requests[name] as never, by)) return item
  return undefined
}

describe('the agency of a peer', () => {
  for (const [name, capability] of Object.entries(callCapability) as [CallName | StreamName, Capability][]) {
    it(`answers ${name} to a caller with ${capability} and nothing else`, async () => {
      const local = recordingAgency()
      const caller = callerWith([capability])
      assert.deepEqual(await ask(remoteAgency(dialerTo(agencyHandler(local), caller, SERVER), SERVER), name), { was: name })
      assert.deepEqual(local.effects, [name])
    })

    it(`denies ${name} without effect to a caller with everything but ${capability}`, async () => {
      const local = recordingAgency()
      const caller = callerWith(capabilities.filter(other => other !== capability))
      await assert.rejects(ask(remoteAgency(dialerTo(agencyHandler(local), caller, SERVER), SERVER), name), { code: 'CB_DENIED' })
      assert.deepEqual(local.effects, [])
      assert.equal(caller.asked.length, 1)
    })

    it(`refuses ${name} with a field that it does not know`, async () => {
      const local = recordingAgency()
      const handler = agencyHandler(local)
      const pair = channelPair({ client: 'a', server: SERVER })
      void handler(pair.server, callerWith(capabilities))
      const type = Object.hasOwn(streamShapes, name) ? 'stream' : 'call'
      await pair.client.write({ type, name, request: { ...requests[name], dryRun: true } })
      const answer = (await pair.client.read()) as { type: string; error: { code: string } }
      assert.equal(answer.type, 'error')
      assert.equal(answer.error.code, 'CB_USAGE')
      assert.deepEqual(local.effects, [])
    })
  }

  it('asks for permits with the program and goal that the request names', async () => {
    const caller = callerWith(['goal:dispatch'])
    await ask(remoteAgency(dialerTo(agencyHandler(recordingAgency()), caller, SERVER), SERVER), 'pursue')
    assert.deepEqual(caller.asked, [{ capability: 'goal:dispatch', program: 'site', goal: 'publish' }])
  })

  it('asks for what the subject needs besides, with the program behind the name', async () => {
    const caller = callerWith(['goal:dispatch'])
    const local = recordingAgency()
    const handler = agencyHandler(local, AGENCY_LIMITS, () => ({ program: 'abc', also: ['node:shell'] }))
    await assert.rejects(ask(remoteAgency(dialerTo(handler, caller, SERVER), SERVER), 'pursue'), { code: 'CB_DENIED' })
    assert.deepEqual(caller.asked, [
      { capability: 'goal:dispatch', program: 'abc' },
      { capability: 'node:shell', program: 'abc' }
    ])
    assert.deepEqual(local.effects, [])
  })

  const bad: readonly { it: string; message: unknown; code: string }[] = [
    { it: 'a call that does not exist', message: { type: 'call', name: 'shutdown', request: {} }, code: 'CB_USAGE' },
    { it: 'a name of the prototype', message: { type: 'call', name: 'constructor', request: {} }, code: 'CB_USAGE' },
    { it: 'a stream asked as a call', message: { type: 'call', name: 'events', request: { id: 'x' } }, code: 'CB_USAGE' },
    { it: 'something that is no message', message: [1, 2, 3], code: 'CB_FRAME_INVALID' },
    { it: 'a missing field', message: { type: 'call', name: 'examine', request: {} }, code: 'CB_USAGE' },
    { it: 'a name with a line break', message: { type: 'call', name: 'examine', request: { agent: 'a\nb' } }, code: 'CB_USAGE' },
    { it: 'an endless name', message: { type: 'call', name: 'examine', request: { agent: 'a'.repeat(300) } }, code: 'CB_USAGE' }
  ]
  for (const { it: name, message, code } of bad) {
    it(`refuses ${name}`, async () => {
      const local = recordingAgency()
      const pair = channelPair({ client: 'a', server: SERVER })
      void agencyHandler(local)(pair.server, callerWith(capabilities))
      await pair.client.write(message)
      const answer = (await pair.client.read()) as { type: string; error: { code: string } }
      assert.equal(answer.error.code, code)
      assert.deepEqual(local.effects, [])
    })
  }

  it('gives back the error of the other side as it was', async () => {
    const failing: Agency = {
      call: async () => {
        throw new CloudburstError('CB_AGENT_UNKNOWN', 'no agent web', { agent: 'web' })
      },
      stream: () => {
        throw new Error('unused')
      }
    }
    const remote = remoteAgency(dialerTo(agencyHandler(failing), callerWith(capabilities), SERVER), SERVER)
    await assert.rejects(remote.call('examine', { agent: 'web' }, by), { code: 'CB_AGENT_UNKNOWN', message: 'no agent web' })
  })

  it('says that the peer is unreachable when the connection is cut before the reply', async () => {
    const cut = dialerTo(agencyHandler(recordingAgency()), callerWith(capabilities), SERVER, () => ({
      cut: (_n, from) => from === 'server'
    }))
    await assert.rejects(remoteAgency(cut, SERVER).call('hello', {}, by), { code: 'CB_PEER_UNREACHABLE' })
  })
})

describe('a stream of a peer', () => {
  /** Counts for ever, and notes how far it came and when it was told to stop. */
  function counting(): Agency & { given: number; stopped: Promise<void> } {
    let stop: () => void = () => undefined
    const stopped = new Promise<void>(resolve => (stop = resolve))
    const agency = {
      given: 0,
      stopped,
      call: async () => assert.fail('unused'),
      async *stream(_name: string, _request: unknown, _by: unknown, signal?: AbortSignal) {
        signal?.addEventListener('abort', stop)
        for (;;) {
          agency.given++
          yield { n: agency.given } as never
        }
      }
    }
    return agency as never
  }

  it('goes at the pace of its reader and stops when the reader leaves', async () => {
    const local = counting()
    const remote = remoteAgency(dialerTo(agencyHandler(local), callerWith(capabilities), SERVER), SERVER)
    let read = 0
    for await (const _item of remote.stream('watch', { path: '' }, by)) {
      if (++read === 10) break
    }
    await local.stopped
    assert.ok(local.given < 30, `${local.given} items were made for 10 read`)
  })

  it('ends with CB_DENIED when the session ends', async () => {
    const caller = callerWith(capabilities)
    const local: Agency = {
      call: async () => assert.fail('unused'),
      async *stream(_name, _request, _by, signal) {
        yield {} as never
        await new Promise(resolve => signal?.addEventListener('abort', resolve))
      }
    }
    const remote = remoteAgency(dialerTo(agencyHandler(local), caller, SERVER), SERVER)
    const items = remote.stream('watch', { path: '' }, by)[Symbol.asyncIterator]()
    await items.next()
    caller.end()
    await assert.rejects(items.next(), { code: 'CB_DENIED' })
  })

  it('is answered CB_BUSY beyond the limit, and served again once one has ended', async () => {
    const limits = { ...AGENCY_LIMITS, callsPerPeerMax: 1 }
    const local = counting()
    const remote = remoteAgency(dialerTo(agencyHandler(local, limits), callerWith(capabilities), SERVER), SERVER)
    const first = remote.stream('watch', { path: '' }, by)[Symbol.asyncIterator]()
    await first.next()
    const second = remote.stream('watch', { path: '' }, by)[Symbol.asyncIterator]()
    await assert.rejects(second.next(), { code: 'CB_BUSY' })
    await first.return?.()
    await local.stopped
    await new Promise(setImmediate)
    const third = remote.stream('watch', { path: '' }, by)[Symbol.asyncIterator]()
    assert.equal((await third.next()).done, false)
    await third.return?.()
  })
})
