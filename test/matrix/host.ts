/** One node on loopback that serves every protocol with the real doors, and counts what got through them. */
import { fileURLToPath } from 'node:url'
import type { GoalEvent } from '../../src/goals/pursuit/events.ts'
import type { RunSummary } from '../../src/goals/pursuit/summary.ts'
import { generateIdentity, type Identity } from '../../src/crypto/identity.ts'
import { addNeighbour } from '../../src/node/neighborhood/neighborhood.ts'
import { subjects } from '../../src/node/agency/subjects.ts'
import { openPrograms } from '../../src/node/programs/programs.ts'
import { AGENCY } from '../../src/protocols/agency/calls.ts'
import { agencyHandler } from '../../src/protocols/agency/server.ts'
import { DISPATCH } from '../../src/protocols/dispatch/messages.ts'
import { dispatchHandler } from '../../src/protocols/dispatch/server.ts'
import { STATE } from '../../src/protocols/state/messages.ts'
import { machineClock } from '../../src/node/clock.ts'
import { ARTIFACT } from '../../src/protocols/artifact/messages.ts'
import { artifactHandler } from '../../src/protocols/artifact/server.ts'
import { TRUST } from '../../src/protocols/trust/messages.ts'
import { trustHandler } from '../../src/protocols/trust/server.ts'
import { stateHandler } from '../../src/protocols/state/server.ts'
import { eventsOf, fakeExecutor } from '../fakes/executor.ts'
import { fakeAgency, replay, runInfo } from '../fakes/agency.ts'
import { memoryStore } from '../fakes/memory-store.ts'
import { Testbed, type TestNode } from '../node/mesh/testbed.ts'

/** The goal that is known at the host, pursued of the program `site`. */
export const RUN = runInfo.id
export const GOAL = 'site-is-up'
export const PROGRAM = `<cloudburst name="site"><goalProto name="${GOAL}"><config><var name="port"/></config></goalProto></cloudburst>`

export interface Host {
  readonly node: TestNode
  /** Hash of the program `site`, and of the shipped one of ad-hoc commands. */
  readonly hash: string
  readonly shell: string
  /** What has got through, by name. */
  readonly effects: string[]
  /** Its permissions.xml may name this one. */
  readonly authority: Identity
  close(): Promise<void>
}

/** A started host with an invitation out, so that strangers get as far as they ever can. */
export async function openHost(): Promise<Host> {
  const bed = new Testbed()
  const node = await bed.node('host')
  const effects: string[] = []
  const shippedDirectory = process.env['CLOUDBURST_PROGRAMS'] ?? fileURLToPath(new URL('../../programs', import.meta.url))
  const programs = openPrograms({ store: memoryStore() as never, shippedDirectory, now: Date.now, unreadable: () => undefined })
  const { hash } = await programs.load([{ name: 'site.xml', text: PROGRAM }])
  const shell = (await programs.find('run')).hash
  const summary: RunSummary = { ...runInfo, goal: GOAL, program: { name: 'site', hash } }
  const journal = { summary: async (id: string) => (id === RUN ? summary : undefined), runs: () => [{ id: RUN }] }
  const agents = { list: () => [{ name: 'farm', program: { hash } }] }
  const subjectOf = subjects({ journal: journal as never, programs, agents })

  const agency = fakeAgency(orNothing(answers(hash)), {
    events: ({ from }) => replay([] as GoalEvent[], from),
    watch: async function* () {
      yield { path: 'nodes', at: 1, cursor: '' } as never
    }
  })
  const executor = fakeExecutor(node.identity.peer, new Set([hash, shell]))
  executor.onAccept = request => {
    for (const event of eventsOf(request.id, request, node.identity.peer)) executor.happen(event)
  }
  node.mesh.handle(
    AGENCY,
    agencyHandler(
      {
        call: (name, request, by, signal) => {
          effects.push(name)
          return agency.call(name, request, by, signal)
        },
        stream: (name, request, by, signal) => {
          effects.push(name)
          return agency.stream(name, request, by, signal)
        }
      },
      undefined,
      subjectOf.call
    )
  )
  node.mesh.handle(
    DISPATCH,
    dispatchHandler({
      ...executor,
      subject: ({ program, goal }) => subjectOf.goal({ program: program.hash, goal }),
      accept: (request, by) => {
        effects.push('accept')
        return executor.accept(request, by)
      },
      load: files => {
        effects.push('load')
        return Promise.resolve(files[0]!.text)
      }
    })
  )
  node.mesh.handle(
    TRUST,
    trustHandler({
      take: () => undefined,
      newsFor: () => {
        effects.push('news')
        return []
      }
    })
  )
  node.mesh.handle(
    STATE,
    stateHandler({
      headsPrint: () => '',
      headsSums: () => undefined,
      originsIn: () => [],
      missing: () => {
        effects.push('pull')
        return { envelopes: [], proofs: [], forgets: [] }
      }
    })
  )
  const file = { size: 0, read: async () => new Uint8Array(), close: async () => undefined }
  const open = async (): Promise<typeof file> => {
    effects.push('fetch')
    return file
  }
  node.mesh.handle(ARTIFACT, artifactHandler({ open }, machineClock))
  await node.start()
  // The tests are all strangers of one address, which is a neighbour's.
  const { peer } = generateIdentity()
  addNeighbour(node.home.neighborhood, { name: 'other', peer, addresses: ['/ip4/127.0.0.1/tcp/1'] })
  node.neighborhood.reload()
  await node.tickets.issue({})
  return { node, hash, shell, effects, authority: generateIdentity(), close: () => bed.close() }
}

/** A call without an answer of its own is answered with nothing: that it was let in is all that counts. */
function orNothing(known: Parameters<typeof fakeAgency>[0]): Parameters<typeof fakeAgency>[0] {
  return new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? (() => ({})) })
}

function answers(hash: string): Parameters<typeof fakeAgency>[0] {
  const info = { name: 'site', hash, goals: [GOAL], agents: [], shipped: false, warnings: [] }
  const agent = {
    name: 'farm',
    program: info,
    proto: 'site',
    status: 'running',
    startedAt: 1,
    goals: { running: 0, suspended: 0 }
  } as const
  const run = { ...runInfo, goal: GOAL, program: { name: 'site', hash }, status: 'completed' } as const
  const plan = { version: 1, goal: GOAL, nodes: [], edges: [] } as never
  return {
    hello: () => ({}) as never,
    programs: () => [info],
    program: () => ({ files: [], info }),
    load: () => info,
    list: () => [],
    agents: () => [agent],
    start: () => agent,
    examine: () => ({ ...agent, variables: {}, runs: [] }),
    suspend: () => agent,
    resume: () => agent,
    stop: () => agent,
    plan: () => plan,
    anticipate: () => ({ holds: true }),
    pursue: () => ({ id: RUN }),
    goals: () => [run],
    goal: () => run,
    repair: () => run,
    preview: () => plan,
    cancel: () => run,
    state: () => ({}),
    inventory: () => ({})
  }
}
