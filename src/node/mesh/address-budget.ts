/** How many connections of strangers an address may cost us. Whoever shares it with a neighbour is let through by the neighbour's merit. */
import { ADDRESSES_REMEMBERED_MAX, STRANGERS_PER_SECOND_MAX, STRANGERS_AT_ONCE_MAX } from './limits.ts'

export interface AddressBudgetOptions {
  /** IP addresses at which neighbours are listed. */
  readonly listed: () => ReadonlySet<string>
  /** Milliseconds that only grow. */
  readonly now: () => number
}

interface Account {
  /** Strangers that this address may still send. */
  left: number
  at: number
}

export class AddressBudget {
  readonly #options: AddressBudgetOptions
  readonly #accounts = new Map<string, Account>()
  /** From where somebody with a permit has come: a node behind a changing address is known by its last ones. */
  readonly #good = new Set<string>()

  constructor(options: AddressBudgetOptions) {
    this.#options = options
  }

  /** Whether the next connection from there is refused before it costs a handshake. */
  isSpent(address: string): boolean {
    return !this.isTrusted(address) && this.#account(address).left < 1
  }

  isTrusted(address: string): boolean {
    return this.#good.has(address) || this.#options.listed().has(address)
  }

  /** Somebody unknown came from there. */
  stranger(address: string): void {
    this.#account(address).left--
  }

  /** Somebody with a permit came from there. */
  friend(address: string): void {
    this.#good.delete(address)
    this.#good.add(address)
    for (const oldest of this.#good) if (this.#good.size > ADDRESSES_REMEMBERED_MAX) this.#good.delete(oldest)
    this.#accounts.delete(address)
  }

  #account(address: string): Account {
    const now = this.#options.now()
    const known = this.#accounts.get(address)
    if (known !== undefined) {
      known.left = Math.min(STRANGERS_AT_ONCE_MAX, known.left + ((now - known.at) * STRANGERS_PER_SECOND_MAX) / 1_000)
      known.at = now
      return known
    }
    const fresh = { left: STRANGERS_AT_ONCE_MAX, at: now }
    this.#accounts.set(address, fresh)
    for (const [oldest] of this.#accounts) if (this.#accounts.size > ADDRESSES_REMEMBERED_MAX) this.#accounts.delete(oldest)
    return fresh
  }
}

/** The IP address in a multiaddr; all of an IPv6 network of one customer count as one. */
export function ipOf(multiaddr: { toString(): string }): string {
  const [, version, address = ''] = String(multiaddr).split('/')
  if (version !== 'ip6') return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped?.[1] ?? networkOf(address)
}

/** The first 64 bits: what one customer has. */
function networkOf(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`
}
