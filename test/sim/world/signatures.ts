/**
 * Signatures of the simulation: as good as those of the product, since nobody here works out what he has no key for, and a
 * hundred times as quick. With Ed25519, signing and checking would be a fourth of all that a simulation does.
 */
import crypto, { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** From here on in this process. @returns puts those of the product back */
export function simulateSignatures(): () => void {
  const real = { sign: crypto.sign, verify: crypto.verify }
  const publicKeys = new WeakMap<KeyObject, Buffer>()
  const publicOf = (key: KeyObject): Buffer => {
    const known = publicKeys.get(key)
    if (known !== undefined) return known
    const exported = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' })
    publicKeys.set(key, exported)
    return exported
  }
  /** As long as one of Ed25519; of others' keys only {@link crypto.verify} makes one. */
  const signature = (key: KeyObject, bytes: Uint8Array): Buffer => createHash('sha512').update(publicOf(key)).update(bytes).digest()
  const sign = (_: null, bytes: Uint8Array, key: KeyObject): Buffer => signature(key, bytes)
  const verify = (_: null, bytes: Uint8Array, key: KeyObject, given: Uint8Array): boolean => signature(key, bytes).equals(given)
  const use = (those: object): void => {
    Object.assign(crypto, those)
    syncBuiltinESMExports()
  }
  use({ sign, verify })
  return () => use(real)
}
