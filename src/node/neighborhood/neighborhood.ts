import { readFileSync } from 'node:fs'
import { type LiveFile, liveFile, type Log } from '../files/live-file.ts'
import { insertIntoRoot } from '../files/xml-text.ts'
import { type Neighborhood, type Neighbour, readNeighborhood } from './read.ts'
import { peerLines } from './sample.ts'

/** neighborhood.xml, read again when it changes. Only the neighbours of a new version take effect in a running node. */
export type LiveNeighborhood = LiveFile<Neighborhood>

/** @throws CloudburstError CB_NEIGHBORHOOD_INVALID, CB_XML_INVALID, CB_FILE_UNSAFE */
export function openNeighborhood(path: string, log: Log): LiveNeighborhood {
  return liveFile({ path, read: readNeighborhood, log })
}

/**
 * Adds a neighbour to the file, whose comments and layout stay. A peer that is listed already is left as it is;
 * when only its name is taken, the last characters of its id are added to it. Durable on return.
 *
 * @returns the neighbour as it stands in the file
 */
export function addNeighbour(path: string, neighbour: Neighbour): Neighbour {
  const { name: own, neighbours } = readNeighborhood(readFileSync(path, 'utf8'), path)
  const listed = neighbours.find(({ peer }) => peer === neighbour.peer)
  if (listed !== undefined) return listed
  const taken = neighbour.name === own || neighbours.some(({ name }) => name === neighbour.name)
  const added = taken ? { ...neighbour, name: `${neighbour.name.slice(0, 55)}-${neighbour.peer.slice(-6)}` } : neighbour
  insertIntoRoot(path, 'neighborhood', peerLines(added), readNeighborhood)
  return added
}
