/** What arrives on `/cloudburst/session/1`, checked field by field: it comes from somebody we may not know. */
import { type Capability, capabilities } from '../../crypto/capability.ts'
import { CloudburstError, type ErrorData } from '../../errors.ts'
import { NODE_NAME } from '../node-name.ts'
import type { SessionHello, SessionReply } from './messages.ts'

/** Longest name, version, label or address, in characters, and most of each: see ./README.md, "Limits". */
export const TEXT_LENGTH_MAX = 256
export const LIST_LENGTH_MAX = 64

type Fields = Record<string, unknown>

/** @throws CloudburstError CB_FRAME_INVALID naming the field */
export function checkHello(message: unknown): SessionHello {
  const fields = object(message, 'hello')
  if (fields['type'] !== 'hello') throw wrong('type')
  const ticket = fields['ticket']
  return {
    type: 'hello',
    ...checkNode(fields),
    grants: list(fields['grants'], 'grants').map(grant => (grant instanceof Uint8Array ? grant : fail('grants'))),
    ...(ticket === undefined ? {} : { ticket: text(ticket, 'ticket') })
  }
}

/** @throws CloudburstError CB_FRAME_INVALID naming the field */
export function checkReply(message: unknown): SessionReply {
  const fields = object(message, 'reply')
  if (fields['type'] === 'refused') return { type: 'refused', error: checkError(fields['error']) }
  if (fields['type'] !== 'welcome') throw wrong('type')
  const until = fields['until']
  if (typeof until !== 'number' || !Number.isFinite(until)) throw wrong('until')
  const known = list(fields['capabilities'], 'capabilities').filter(isCapability)
  return { type: 'welcome', ...checkNode(fields), capabilities: known, until, ...(fields['again'] === true && { again: true as const }) }
}

function checkNode(fields: Fields): Pick<SessionHello, 'name' | 'version' | 'labels' | 'addresses'> {
  const name = text(fields['name'], 'name')
  if (!NODE_NAME.test(name)) throw wrong('name')
  const labels = Object.entries(object(fields['labels'], 'labels'))
  if (labels.length > LIST_LENGTH_MAX) throw wrong('labels')
  return {
    name,
    version: text(fields['version'], 'version'),
    labels: Object.fromEntries(labels.map(([key, value]) => [text(key, 'labels'), text(value, 'labels')])),
    addresses: list(fields['addresses'], 'addresses').map(address => text(address, 'addresses'))
  }
}

function checkError(value: unknown): ErrorData {
  const fields = object(value, 'error')
  const message = fields['message']
  if (typeof message !== 'string') throw wrong('error')
  // A code this version does not know becomes CB_INTERNAL in fromErrorData; details of a stranger are not taken.
  return { code: String(fields['code']) as ErrorData['code'], message: message.slice(0, TEXT_LENGTH_MAX * 4) }
}

function isCapability(word: unknown): word is Capability {
  return capabilities.some(capability => capability === word)
}

function object(value: unknown, field: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)) return value as Fields
  throw wrong(field)
}

function list(value: unknown, field: string): readonly unknown[] {
  return Array.isArray(value) && value.length <= LIST_LENGTH_MAX ? value : fail(field)
}

function text(value: unknown, field: string): string {
  return typeof value === 'string' && value.length <= TEXT_LENGTH_MAX ? value : fail(field)
}

function fail(field: string): never {
  throw wrong(field)
}

function wrong(field: string): CloudburstError {
  return new CloudburstError('CB_FRAME_INVALID', `peer sent a session message with a wrong ${field}`)
}
