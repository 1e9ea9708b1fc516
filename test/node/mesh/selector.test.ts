import assert from 'node:assert/strict'
import { CloudburstError } from '../../../src/errors.ts'
import type { PeerInfo } from '../../../src/node/control/contract.ts'
import { onlyOne, selectPeers } from '../../../src/node/mesh/selector.ts'

const node = (name: string, peer: string, labels: PeerInfo['labels'], status: PeerInfo['status'] = 'up'): PeerInfo => ({
  peer,
  name,
  labels,
  status,
  addresses: [`/ip4/10.0.0.1/tcp/1/p2p/${peer}`],
  static: false,
  since: 0,
  may: [],
  mayThere: []
})
const all = [
  node('node1', '12D3KooWAAAAbbbbccccddddeeeeffff11111111', { os: 'linux', role: 'db' }, 'self'),
  node('node2', '12D3KooWBBBBxxxxccccddddeeeeffff22222222', { os: 'linux', role: 'web' }),
  node('node3', '12D3KooWBBBByyyyccccddddeeeeffff33333333', { os: 'bsd', role: 'web' }, 'away')
]
const [node1, node2, node3] = all as [PeerInfo, PeerInfo, PeerInfo]
const stranger = '12D3KooWZZZZccccddddeeeeffffgggg99999999'

describe('a peer', () => {
  const named: readonly (readonly [by: string, selector: string, names: readonly string[]])[] = [
    ['its name', 'node2', ['node2']],
    ['its id', node2.peer, ['node2']],
    ['a unique beginning of its id', '12D3KooWBBBBx', ['node2']],
    ['such a beginning without what all ids begin with', 'BBBBy', ['node3']],
    ['the last eight characters, as tables show them', '33333333', ['node3']],
    ['a label', 'role=web', ['node2', 'node3']],
    ['labels that all hold', 'os=linux,role=web', ['node2']],
    ['labels with a blank between them', 'os=linux role=db', ['node1']],
    ['everybody else', '*', ['node2', 'node3']]
  ]
  for (const [by, selector, names] of named)
    it(`is named by ${by}: ${selector}`, () =>
      assert.deepEqual(
        selectPeers(selector, all).map(({ name }) => name),
        names
      ))

  it('is named by a multiaddr, which is tried before those that are known', () => {
    const there = `/ip4/192.0.2.1/tcp/4100/p2p/${node2.peer}`
    assert.deepEqual(selectPeers(there, all)[0]?.addresses, [there, ...node2.addresses])
    const [unknown] = selectPeers(`/dns4/far.example/tcp/4100/p2p/${stranger}`, all)
    assert.deepEqual([unknown?.peer, unknown?.status], [stranger, 'away'])
  })

  const refused: readonly (readonly [what: string, selector: string, says: RegExp])[] = [
    ['a name that is misspelt', 'nod2', /^no peer is named nod2 \(did you mean node2\?\)$/],
    ['a beginning that two ids have', 'BBBB', /^BBBB is the beginning of 2 peers: node2 \(12D3KooWBBBBxx…\), node3/],
    ['the beginning that all ids have', '12D3Koo', /^every peer id begins with 12D3Koo: give 4 characters more than 12D3KooW$/],
    ['labels that nobody has', 'os=plan9', /^no peer has the labels os=plan9$/],
    ['an address without a peer id', '/ip4/10.0.0.1/tcp/1', /has to end in \/p2p\/ and a peer id$/]
  ]
  for (const [what, selector, says] of refused)
    it(`is not named by ${what}`, () =>
      assert.throws(
        () => selectPeers(selector, all),
        (error: unknown) => error instanceof CloudburstError && error.code === 'CB_PEER_UNKNOWN' && says.test(error.message)
      ))

  it('is one where only one can be meant', () => {
    assert.equal(onlyOne(selectPeers('os=bsd', all), 'os=bsd'), node3)
    assert.throws(() => onlyOne(selectPeers('os=linux', all), 'os=linux'), /^CloudburstError: os=linux names 2 nodes, not one$/)
    assert.equal(onlyOne([node1], 'node1'), node1)
  })
})
