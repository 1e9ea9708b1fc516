/** Scalars: what counts as a number or as true, and how text fits a type. Source: docs/language.md, "State". */
import type { Scalar } from '../tree.ts'
import { isReference } from './artifacts.ts'

/** Types whose values are checked. All other type names are nominal: they name structs, or nothing. */
export const scalarTypes = [
  'int',
  'bool',
  'boolean',
  'string',
  'localFilePath',
  'artifact',
  'secret',
  'password',
  'usa.darpa.rfc971.ipv4address',
  'username'
] as const

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i
const INTEGER = /^[-+]?\d{1,15}$/
const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/
/** Portable user names; upper case because directories of other systems have them. */
const USERNAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/
const FALSE = new Set(['false', 'False', 'FALSE', '0', 'no', ''])

/** A value that fits its type, or why it does not. */
export type Conversion = { readonly value: Scalar } | { readonly misfit: string }

/** Whether values of this type are scalars that {@link convert} checks. */
export function isScalarType(type: string | undefined): boolean {
  return type !== undefined && (scalarTypes as readonly string[]).includes(type)
}

/** Whether values of this type are never printed. */
export function isSecretType(type: string | undefined): boolean {
  return type === 'secret' || type === 'password'
}

/** `value` in the form of `type`. Of nominal types anything fits. The misfit never repeats a secret. */
export function convert(value: Scalar, type: string | undefined): Conversion {
  const text = String(value)
  switch (type) {
    case 'int':
      return INTEGER.test(text.trim()) ? { value: Number(text) } : { misfit: `'${text}' is not an int` }
    case 'bool':
    case 'boolean':
      return convertBool(value)
    case 'localFilePath':
      return text.trim() !== '' && !text.includes('\0') ? { value: text.trim() } : { misfit: 'a localFilePath cannot be empty' }
    case 'artifact':
      return isReference(text.trim())
        ? { value: text.trim() }
        : {
            misfit: `'${text}' is not an artifact, sha256:…, nor the whole path of a file; =@artifact:PATH on the command line keeps a file and gives it`
          }
    case 'usa.darpa.rfc971.ipv4address':
      return IPV4.test(text.trim()) ? { value: text.trim() } : { misfit: `'${text}' is not an IPv4 address` }
    case 'username':
      return USERNAME.test(text.trim()) ? { value: text.trim() } : { misfit: `'${text}' is not a user name` }
    case 'string':
    case 'secret':
    case 'password':
      return { value: text }
    default:
      return { value }
  }
}

function convertBool(value: Scalar): Conversion {
  if (typeof value === 'boolean') return { value }
  const text = String(value).trim()
  if (FALSE.has(text)) return { value: false }
  return /^(true|yes|1)$/i.test(text) ? { value: true } : { misfit: `'${text}' is neither true nor false` }
}

/** `value` as a number when it is one or reads like one. */
export function asNumber(value: Scalar): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return undefined
  const text = value.trim()
  return NUMBER.test(text) ? Number(text) : undefined
}

/** Whether a scalar counts as true: `false`, `False`, `FALSE`, `0`, `no` and the empty text do not. */
export function isTrueScalar(value: Scalar): boolean {
  return typeof value === 'string' ? !FALSE.has(value) : Boolean(value)
}
