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
})
