import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'

/** Parsed addresses to dial; what is no multiaddr is left out. */
export function dialable(addresses: readonly string[]): Multiaddr[] {
  return addresses.flatMap(address => {
    try {
      return [multiaddr(address)]
    } catch {
      return []
    }
  })
}
