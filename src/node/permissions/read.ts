import type { Bounds } from '../../crypto/bounds.ts'
import { EMAIL } from '../../crypto/grant.ts'
import { type Capability, capabilities } from '../../crypto/capability.ts'
import { isPeerId } from '../../crypto/identity.ts'
import { elementsOf, readXml, type XmlElement } from '../../goals/program/xml.ts'
import { guess, ShapeReader } from '../files/xml-shape.ts'
import type { Authority, PermissionList, PermissionTest, Permit } from './decide.ts'
import { parseDuration, parseLifetime } from './lifetime.ts'
import { failedTest } from './permission-tests.ts'

const reader = new ShapeReader('CB_PERMISSIONS_INVALID')
/** Shortest `fresh`, in milliseconds: an authority is heard of every half minute, and clocks may be apart by two minutes. */
export const FRESH_MIN_MS = 5 * 60_000

/** Attributes that bound what is allowed, of permits and authorities alike. */
const BOUNDS = ['programs', 'goals', 'vars', 'on', 'concurrent']

/**
 * What a permissions.xml says. `file` is only a name for messages.
 * @throws CloudburstError CB_XML_INVALID, CB_PERMISSIONS_INVALID with `file:line:col: reason`, also when one of its tests fails
 */
export function readPermissions(text: string, file: string): PermissionList {
  const root = readXml(text, file)
  if (root.name !== 'permissions') throw reader.error(root.place, `the root element is <${root.name}>, not <permissions>`)
  reader.check(root, { children: ['authority', 'permit', 'tests'] })
  const elements = elementsOf(root)
  const authorities = elements.filter(({ name }) => name === 'authority').map(readAuthority)
  const permits = elements.filter(({ name }) => name === 'permit').map(element => readPermit(element, authorities))
  const tests = elements.filter(({ name }) => name === 'tests').flatMap(readTests)
  const list = { authorities, permits, ...(tests.length > 0 && { tests }) }
  const failed = failedTest(list)
  if (failed !== undefined) throw reader.error(failed.test.place, `this test fails: ${failed.reason}`)
  return list
}

function readAuthority(element: XmlElement, at: number, all: readonly XmlElement[]): Authority {
  reader.check(element, { required: ['name'], optional: ['key', 'capability', 'lifetime', 'fresh', ...BOUNDS] })
  const name = reader.needed(element, 'name')
  if (all.findIndex(other => reader.attribute(other, 'name') === name) !== at) {
    throw reader.error(element.place, `the authority ${name} is declared twice`)
  }
  const key = reader.attribute(element, 'key')
  if (key !== undefined && !isPeerId(key))
    throw reader.error(reader.placeOf(element, 'key'), `${key} is not the peer id of a usable Ed25519 key`)
  const bounded = BOUNDS.find(each => element.attributes.has(each))
  if (bounded !== undefined && !element.attributes.has('capability'))
    throw reader.error(reader.placeOf(element, bounded), `${bounded} bounds what grants of ${name} may do: it goes with capability`)
  const without = ['capability', 'lifetime', 'fresh'].find(each => element.attributes.has(each))
  if (key === undefined && without !== undefined)
    throw reader.error(reader.placeOf(element, without), `${without} is about the grants of ${name}, which signs none without a key`)
  const lifetimeMs = durationOf(element, 'lifetime')
  const fresh = freshOf(element)
  return {
    name,
    ...(key !== undefined && { key }),
    ...(element.attributes.has('capability') && { ceiling: readBounds(element) }),
    ...(lifetimeMs !== undefined && { lifetimeMs }),
    ...(fresh !== undefined && { fresh }),
    place: element.place
  }
}

function readPermit(element: XmlElement, authorities: readonly Authority[]): Permit {
  reader.check(element, { required: ['authority', 'email', 'capability', 'lifetime'], optional: ['peer', 'fresh', ...BOUNDS] })
  const authority = readNamed(element, authorities)
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
  const fresh = freshOf(element)
  if (fresh !== undefined && authority.key === undefined)
    throw reader.error(reader.placeOf(element, 'fresh'), `fresh is about hearing from ${authority.name}, which has no key to be heard by`)
  const bounds = readBounds(element)
  const above = bounds.capabilities.find(word => authority.ceiling?.capabilities.includes(word) === false)
  if (above !== undefined)
    throw reader.error(reader.placeOf(element, 'capability'), `${above} is above the ceiling of the authority ${authority.name}`)
  return {
    authority: authority.name,
    email,
    ...(peer !== undefined && { peer }),
    ...bounds,
    lifetime,
    ...(fresh !== undefined && { fresh }),
    place: element.place
  }
}

function readNamed(element: XmlElement, authorities: readonly Authority[]): Authority {
  const name = reader.needed(element, 'authority')
  const found = authorities.find(each => each.name === name)
  if (found !== undefined) return found
  const names = authorities.map(each => each.name)
  throw reader.error(reader.placeOf(element, 'authority'), `no <authority> is named ${name}${guess(name, names)}`)
}

/** `<tests>`: what has to be allowed, and what must never be. */
function readTests(element: XmlElement): readonly PermissionTest[] {
  reader.check(element, { children: ['allow', 'deny'] })
  return elementsOf(element).flatMap(test => {
    reader.check(test, { required: ['who', 'capability'], optional: ['program', 'goal', 'vars'] })
    const [program, goal] = ['program', 'goal'].map(name => reader.attribute(test, name))
    const vars = reader.attribute(test, 'vars')
    const what = {
      ...(program !== undefined && { program, programName: program }),
      ...(goal !== undefined && { goal }),
      ...(vars !== undefined && { vars: words(vars) })
    }
    const who = reader.needed(test, 'who')
    const allowed = test.name === 'allow'
    return readCapabilities(test).map(capability => ({ who, capability, what, allowed, place: test.place }))
  })
}

function readBounds(element: XmlElement): Bounds {
  const [programs, goals, vars, on] = ['programs', 'goals', 'vars', 'on'].map(name => listed(element, name))
  const concurrent = reader.attribute(element, 'concurrent')
  if (concurrent !== undefined && !/^[1-9]\d{0,5}$/.test(concurrent))
    throw reader.error(reader.placeOf(element, 'concurrent'), `concurrent is a number of goals from 1 on, not ${concurrent}`)
  return {
    capabilities: readCapabilities(element),
    ...(programs !== undefined && { programs }),
    ...(goals !== undefined && { goals }),
    ...(vars !== undefined && { vars }),
    ...(on !== undefined && { on }),
    ...(concurrent !== undefined && { concurrent: Number(concurrent) })
  }
}

function freshOf(element: XmlElement): number | undefined {
  const fresh = durationOf(element, 'fresh')
  if (fresh === undefined || fresh >= FRESH_MIN_MS) return fresh
  throw reader.error(reader.placeOf(element, 'fresh'), `fresh is at least PT${FRESH_MIN_MS / 60_000}M: clocks are apart by minutes`)
}

function durationOf(element: XmlElement, name: string): number | undefined {
  if (!element.attributes.has(name)) return undefined
  const text = reader.needed(element, name)
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw reader.error(reader.placeOf(element, name), `${name} is an ISO 8601 duration, such as PT8H or P30D, not ${text}`)
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
