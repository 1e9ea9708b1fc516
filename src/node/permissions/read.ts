import { type Capability, capabilities } from '../../crypto/capability.ts'
import { isPeerId } from '../../crypto/identity.ts'
import { elementsOf, readXml, type XmlElement } from '../../goals/program/xml.ts'
import { guess, ShapeReader } from '../files/xml-shape.ts'
import type { Authority, PermissionList, Permit } from './decide.ts'
import { parseLifetime } from './lifetime.ts'

const reader = new ShapeReader('CB_PERMISSIONS_INVALID')
const EMAIL = /^[^\s@]+@[^\s@]+$/

/**
 * What a permissions.xml says. `file` is only a name for messages.
 * @throws CloudburstError CB_XML_INVALID, CB_PERMISSIONS_INVALID with `file:line:col: reason`
 */
export function readPermissions(text: string, file: string): PermissionList {
  const root = readXml(text, file)
  if (root.name !== 'permissions') throw reader.error(root.place, `the root element is <${root.name}>, not <permissions>`)
  reader.check(root, { children: ['authority', 'permit'] })
  const elements = elementsOf(root)
  const authorities = elements.filter(({ name }) => name === 'authority').map(readAuthority)
  const names = authorities.map(({ name }) => name)
  const permits = elements.filter(({ name }) => name === 'permit').map(element => readPermit(element, names))
  return { authorities, permits }
}

function readAuthority(element: XmlElement, at: number, all: readonly XmlElement[]): Authority {
  reader.check(element, { required: ['name'], optional: ['key'] })
  const name = reader.needed(element, 'name')
  if (all.findIndex(other => reader.attribute(other, 'name') === name) !== at) {
    throw reader.error(element.place, `the authority ${name} is declared twice`)
  }
  const key = reader.attribute(element, 'key')
  if (key !== undefined && !isPeerId(key))
    throw reader.error(reader.placeOf(element, 'key'), `${key} is not the peer id of a usable Ed25519 key`)
  return { name, ...(key === undefined ? {} : { key }), place: element.place }
}

function readPermit(element: XmlElement, authorities: readonly string[]): Permit {
  reader.check(element, {
    required: ['authority', 'email', 'capability', 'lifetime'],
    optional: ['peer', 'programs', 'goals', 'vars']
  })
  const authority = reader.needed(element, 'authority')
  if (!authorities.includes(authority)) {
    throw reader.error(reader.placeOf(element, 'authority'), `no <authority> is named ${authority}${guess(authority, authorities)}`)
  }
  const email = reader.needed(element, 'email')
  if (!EMAIL.test(email)) throw reader.error(reader.placeOf(element, 'email'), `${email} is not an e-mail address`)
  const peer = reader.attribute(element, 'peer')
  if (peer !== undefined && !isPeerId(peer))
    throw reader.error(reader.placeOf(element, 'peer'), `${peer} is not the peer id of a usable Ed25519 key`)
  const lifetime = parseLifetime(reader.needed(element, 'lifetime'))
  if (lifetime === undefined) {
    const example = '2026-01-01T00:00:00Z/2027-01-01T00:00:00Z or PT8H'
    throw reader.error(reader.placeOf(element, 'lifetime'), `lifetime is an ISO 8601 interval or duration, such as ${example}`)
  }
  const [programs, goals, vars] = ['programs', 'goals', 'vars'].map(name => listed(element, name))
  return {
    authority,
    email,
    capabilities: readCapabilities(element),
    ...(peer === undefined ? {} : { peer }),
    ...(programs === undefined ? {} : { programs }),
    ...(goals === undefined ? {} : { goals }),
    ...(vars === undefined ? {} : { vars }),
    lifetime,
    place: element.place
  }
}

function readCapabilities(element: XmlElement): readonly Capability[] {
  return words(reader.needed(element, 'capability')).map(word => {
    const known = capabilities.find(capability => capability === word)
    if (known !== undefined) return known
    const place = reader.placeOf(element, 'capability')
    if (word === '*') throw reader.error(place, 'capability * is not allowed: name each one')
    throw reader.error(place, `${word} is not a capability${guess(word, capabilities)}`)
  })
}

/** `programs="a b"` as a list; `*` or absence means all, which is no list. */
function listed(element: XmlElement, name: string): readonly string[] | undefined {
  if (!element.attributes.has(name)) return undefined
  const value = reader.needed(element, name)
  return value === '*' ? undefined : words(value)
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '')
}
