/**
 * A signature is checked once per process instead of once per node: the same key, bytes and signature have the same answer,
 * and checking would be most of what a simulation does.
 */
import crypto, { type KeyObject } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** Answers that are remembered: more than the records of any one mesh. */
const REMEMBERED_MAX = 100_000

let answers: Map<string, boolean> | undefined

/** From here on in this process. Twice does nothing. */
export function rememberSignatures(): void {
  if (answers !== undefined) return
  const remembered = new Map<string, boolean>()
  answers = remembered
  const keys = new WeakMap<KeyObject, number>()
  let count = 0
  const { verify } = crypto
  const remembering = (algorithm: null, bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean => {
    let number = keys.get(key)
    if (number === undefined) keys.set(key, (number = ++count))
    const name = `${number} ${Buffer.from(signature).toString('latin1')}${Buffer.from(bytes).toString('latin1')}`
    const known = remembered.get(name)
    if (known !== undefined) return known
    const answer = verify(algorithm, bytes, key, signature)
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(name, answer)
    return answer
  }
  crypto.verify = remembering as typeof verify
  syncBuiltinESMExports()
}
