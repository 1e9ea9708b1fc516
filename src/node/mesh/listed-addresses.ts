/** Where neighbours live: whoever comes from there is let in before strangers. */
import { ipOf } from './address-budget.ts'
import type { Neighbour } from '../neighborhood/read.ts'

const listed = new WeakMap<readonly Neighbour[], ReadonlySet<string>>()

/** IP addresses of neighbours, as far as they are listed by number. */
export function listedAddresses(neighbours: readonly Neighbour[]): ReadonlySet<string> {
  const known = listed.get(neighbours)
  if (known !== undefined) return known
  const addresses = neighbours.flatMap(neighbour => neighbour.addresses).filter(address => /^\/ip[46]\//.test(address))
  const found = new Set(addresses.map(ipOf))
  listed.set(neighbours, found)
  return found
}
