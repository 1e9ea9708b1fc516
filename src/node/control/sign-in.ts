/** Who may use the control API over the network: whoever has typed a code that was asked for at the socket. Kept in memory only. */
import { createHash, randomBytes } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'

/** A code is good for this long, in milliseconds: long enough to type it. */
export const CODE_LIFETIME_MS = 2 * 60_000
/** A sign-in is good for this long, in milliseconds: a working day. */
export const TOKEN_LIFETIME_MS = 12 * 3_600_000
/** Most codes and sign-ins at a time; the oldest goes. */
const HELD_MAX = 64
/** 130 bits, in the alphabet of Crockford: no letter looks like a digit. */
const CODE_LETTERS = 26
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export interface SignIn {
  /** A new code, for one sign-in. */
  code(): { readonly code: string; readonly expiresAt: number }
  /**
   * The token that a code is good for; the code is used up.
   * @throws CloudburstError CB_DENIED
   */
  enter(code: string): { readonly token: string; readonly expiresAt: number }
  /** Whether a token was given and is still good. */
  holds(token: string): boolean
}

/** @param now epoch milliseconds */
export function openSignIn(now: () => number): SignIn {
  // Only hashes are held, so that looking one up takes as long whatever is asked.
  const codes = new Map<string, number>()
  const tokens = new Map<string, number>()
  return {
    code() {
      const code = [...randomBytes(CODE_LETTERS)].map(byte => ALPHABET[byte % ALPHABET.length]).join('')
      return { code: code.match(/.{1,13}/g)!.join('-'), expiresAt: hold(codes, code, now(), CODE_LIFETIME_MS) }
    },
    enter(typed) {
      const key = digest(typed.toUpperCase().replace(/[^0-9A-Z]/g, ''))
      const expiresAt = codes.get(key)
      codes.delete(key)
      if (expiresAt === undefined || expiresAt <= now()) {
        throw new CloudburstError('CB_DENIED', 'the code is none, was used already, or is too old: cloudburst sign-in prints a new one')
      }
      const token = randomBytes(32).toString('base64url')
      return { token, expiresAt: hold(tokens, token, now(), TOKEN_LIFETIME_MS) }
    },
    holds(token) {
      return (tokens.get(digest(token)) ?? 0) > now()
    }
  }
}

function hold(held: Map<string, number>, secret: string, now: number, lifetimeMs: number): number {
  for (const [key, until] of held) if (until <= now || held.size >= HELD_MAX) held.delete(key)
  held.set(digest(secret), now + lifetimeMs)
  return now + lifetimeMs
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64')
}
