import assert from 'node:assert/strict'
import { PeerBook } from '../../../src/node/mesh/peer-book.ts'

const PEER = '12D3KooWDQohTHau1U4cYYY9ujr2LGNpkVHHBQLMkp7iWc59xR73'
const neighbour = { peer: PEER, name: 'web1', addresses: ['/ip4/127.0.0.1/tcp/4001'], labels: {} }

describe('what is known of other nodes', () => {
  const may = () => []
  const names = (book: PeerBook): readonly string[] => book.all(may).map(({ name }) => name)

  it('forgets who is no neighbour any more, once the connection has ended', () => {
    const book = new PeerBook('n1', () => 0)
    book.setNeighbours([neighbour])
    book.mark(PEER, 'up')
    book.setNeighbours([])
    assert.equal(names(book).length, 1, 'still here')
    book.mark(PEER, 'away')
    assert.deepEqual(names(book), [])
    book.setNeighbours([neighbour])
    assert.deepEqual(names(book), ['web1'])
  })

  it('keeps who was never a neighbour, and who is permitted something', () => {
    const book = new PeerBook('n1', () => 0)
    book.found(PEER, ['/ip4/127.0.0.1/tcp/4001'])
    book.setNeighbours([])
    assert.equal(names(book).length, 1)
    book.setNeighbours([neighbour])
    book.setNeighbours([])
    assert.equal(book.all(() => ['agency:inspect']).length, 1)
  })

  it('goes by the name that somebody claims while nobody else has it', () => {
    const book = new PeerBook('n1', () => 0)
    const card = (name: string) => ({ name, version: '1', labels: {}, addresses: [] })
    const [one, other] = [`12D3KooW${'a'.repeat(44)}`, `12D3KooW${'b'.repeat(44)}`]
    book.learn(one, card('web2'))
    assert.deepEqual([book.nameOf(one), ...names(book)], ['web2', 'web2'])
    book.learn(other, card('web2'))
    assert.ok(![book.nameOf(one), book.nameOf(other), ...names(book)].includes('web2'))
    book.learn(other, card('n1'))
    assert.equal(book.nameOf(one), 'web2')
    assert.notEqual(book.nameOf(other), 'n1')
    book.setNeighbours([{ ...neighbour, name: 'web2' }])
    book.learn(PEER, card('db'))
    book.learn(other, card('db'))
    assert.deepEqual([book.nameOf(PEER), book.nameOf(other)], ['web2', 'db'])
    assert.notEqual(book.nameOf(one), 'web2')
  })

  it('says who is up as the whole list does', () => {
    const book = new PeerBook('n1', () => 0)
    const [one, other] = [`12D3KooW${'a'.repeat(44)}`, `12D3KooW${'b'.repeat(44)}`]
    for (const peer of [one, other, PEER]) book.mark(peer, 'up')
    book.stands(other, 'away')
    book.stands(PEER, 'suspect')
    const listed = book.all(may).flatMap(({ peer, status }) => (status === 'up' ? [peer] : []))
    assert.deepEqual(book.up().sort(), listed.sort())
    assert.equal(listed.length, 2)
  })
})
