import assert from 'node:assert/strict'
import fc from 'fast-check'
import { openReplica, type Replica } from '../../src/protocols/state/replica.ts'
import type { Head } from '../../src/protocols/state/messages.ts'
import { decodeMessage, encodeMessage } from '../../src/protocols/wire/codec.ts'

/** Seeds of the short form; CB_RUNS takes more. */
const RUNS = Number(process.env['CB_RUNS'] ?? 300)
const SEED = process.env['CB_SEED'] === undefined ? Date.now() % 2 ** 31 : Number.parseInt(process.env['CB_SEED'], 16)

const PEERS = ['a', 'b', 'c', 'd', 'e'].map(letter => `12D3KooWsim${letter.repeat(30)}`)

/** What can happen to a mesh: indexes are taken modulo what there is. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), node: fc.nat(4), path: fc.nat(5), value: fc.option(fc.nat(9)) })
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), node: fc.nat(4), from: fc.nat(4) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('deliver' as const), at: fc.nat(50), keep: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('lose' as const), at: fc.nat(50) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), node: fc.nat(4), remembers: fc.boolean(), clockBack: fc.boolean() })
  }
)
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

/** Five nodes, and envelopes on their way to somebody: they may be lost, doubled, or overtaken. */
class Mesh {
  nodes: Replica[]
  private readonly boots: number[]
  private readonly way: { to: number; envelope: Uint8Array }[] = []
  private nonces = 0
  private ids = 0

  constructor() {
    this.boots = PEERS.map(() => 1)
    this.nodes = PEERS.map((_, at) => this.open(at))
  }

  private nonce = (): string => (++this.nonces).toString(16).padStart(8, '0')

  private open(at: number): Replica {
    return openReplica({
      self: PEERS[at]!,
      name: `n${at}`,
      boot: this.boots[at]!,
      nonce: this.nonce(),
      seal: payload => encodeMessage({ signer: PEERS[at], payload }),
      open: envelope => decodeMessage(envelope) as { signer: string; payload: Uint8Array },
      now: () => 1,
      id: () => `t${++this.ids}`,
      freshNonce: this.nonce
    })
  }

  step(what: Happening): void {
    switch (what.kind) {
      case 'publish':
        this.nodes[what.node]!.publish([{ path: `p${what.path}`, ...(what.value === null ? {} : { value: { value: what.value } }) }])
        return
      case 'ask': {
        const heads: readonly Head[] = this.nodes[what.node]!.heads()
        for (const envelope of this.nodes[what.from]!.missing(heads).envelopes) this.way.push({ to: what.node, envelope })
        return
      }
      case 'deliver': {
        const at = what.at % Math.max(1, this.way.length)
        const one = this.way[at]
        if (one !== undefined) this.nodes[one.to]!.apply(one.envelope)
        if (!what.keep) this.way.splice(at, 1)
        return
      }
      case 'lose':
        return void this.way.splice(what.at % Math.max(1, this.way.length), 1)
      case 'restart':
        // An old disk restored, or none at all and a clock that was set back: the boot number may come again, or go down.
        this.boots[what.node] = what.clockBack ? 1 : what.remembers ? this.boots[what.node]! + 1 : this.boots[what.node]! + 10
        this.nodes[what.node] = this.open(what.node)
    }
  }

  /** Connected and quiet: everybody asks everybody until nothing is new. */
  settle(): void {
    for (const node of this.nodes) node.publish([{ path: 'alive', value: { value: true } }])
    for (let round = 0; round < 20; round++) {
      let news = 0
      for (const to of this.nodes) {
        for (const from of this.nodes) {
          const { envelopes, proofs } = from.missing(to.heads())
          news += envelopes.length + proofs.length
          for (const envelope of envelopes) to.apply(envelope)
          for (const proof of proofs) to.applyProof(proof)
        }
      }
      if (news === 0) return
    }
    assert.fail('the mesh does not come to rest')
  }
}

describe('replicas of five nodes', () => {
  it(`agree once they are connected and quiet, whatever was lost, doubled, overtaken or restarted (CB_SEED=${SEED.toString(16)})`, () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 20, maxLength: 150, size: 'max' }), happenings => {
        const mesh = new Mesh()
        for (const what of happenings) mesh.step(what)
        mesh.settle()
        const [first] = mesh.nodes
        for (const node of mesh.nodes) {
          assert.deepEqual(node.forks(), [], 'an honest node was taken for two')
          assert.deepEqual(node.read('nodes'), first!.read('nodes'))
          assert.equal(node.digest(), first!.digest())
        }
        // And what they agree on is what each owner says.
        for (const [at, node] of mesh.nodes.entries()) {
          const own = Object.fromEntries([...node.own()].map(([path, { value }]) => [path, value]))
          assert.deepEqual(first!.read(`nodes.n${at}`)?.fields, own)
        }
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: false }
    )
  }).timeout(60_000)
})
