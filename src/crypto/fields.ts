/** Signed statements are read strictly: whoever cannot understand a field cannot know what the signer has bound it to. */
import { CloudburstError } from '../errors.ts'
import { isPeerId } from './identity.ts'

/** One object of a statement whose signature held. Every method throws CB_SIGNATURE_INVALID naming the field. */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>
  readonly #what: string

  /** @throws CloudburstError CB_SIGNATURE_INVALID when `value` is no object, or has a field that is not in `known` */
  constructor(value: unknown, what: string, known: readonly string[]) {
    this.#what = what
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(`${what} is no object`)
    this.#value = value as Readonly<Record<string, unknown>>
    for (const name of Object.keys(value)) if (!known.includes(name)) this.wrong(name)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name)
  }

  get(name: string): unknown {
    return this.has(name) ? this.#value[name] : undefined
  }

  /** One line of text, not empty. */
  text(name: string, charsMax: number): string {
    const value = this.get(name)
    return typeof value === 'string' && value !== '' && value.length <= charsMax && !/[\u0000-\u001f\u007f]/.test(value)
      ? value
      : this.wrong(name)
  }

  /** A whole number from 0 on. */
  count(name: string): number {
    const value = this.get(name)
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : this.wrong(name)
  }

  /** Peer id of a usable key. */
  peer(name: string): string {
    const value = this.get(name)
    return typeof value === 'string' && isPeerId(value) ? value : this.wrong(name)
  }

  list(name: string, lengthMax: number): readonly unknown[] {
    const value = this.get(name)
    return Array.isArray(value) && value.length <= lengthMax ? value : this.wrong(name)
  }

  /** Words without white space. */
  words(name: string, lengthMax: number, charsMax: number): readonly string[] {
    return this.list(name, lengthMax).map(word =>
      typeof word === 'string' && word !== '' && word.length <= charsMax && !/[\s\u0000-\u001f\u007f]/.test(word) ? word : this.wrong(name)
    )
  }

  wrong(name: string): never {
    throw refused(`${this.#what} has a wrong ${name.slice(0, 64)}`)
  }
}

/** The JSON value in a payload. @throws CloudburstError CB_SIGNATURE_INVALID */
export function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    throw refused('it is not JSON')
  }
}

/** A statement that was signed well and still says nothing that holds. */
export function refused(reason: string): CloudburstError {
  return new CloudburstError('CB_SIGNATURE_INVALID', `signed statement refused: ${reason}`)
}
