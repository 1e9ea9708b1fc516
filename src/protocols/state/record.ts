/** A record of state as bytes: encoded by its owner, checked by everybody else, after its signature. */
import * as v from 'valibot'
import { CloudburstError } from '../../errors.ts'
import { NODE_NAME } from '../node-name.ts'
import { bytesShape, countShape, idShape, listOf, peerShape, textShape, timeShape, treeShape } from '../shapes.ts'
import { decodeMessage, encodeMessage } from '../wire/codec.ts'
import { BUCKETS, SUMS_BYTES } from './buckets.ts'
import { type ConfigChange, type Head, ORIGINS_MAX, RECORD_BYTES_MAX, type StateMessage, type StateRecord } from './messages.ts'

/** DSSE payload type of a record. */
export const RECORD_TYPE = 'application/vnd.cloudburst.state+cbor'
/** Longest envelope: a record in base64 (four for three), and its signature. */
export const ENVELOPE_BYTES_MAX = Math.ceil(RECORD_BYTES_MAX / 3) * 4 + 1024
/** Longest path, in characters. */
export const PATH_CHARS_MAX = 1_000
/** Larger boot numbers are nonsense (epoch milliseconds until the year 37,000), and one must always be able to go higher. */
const BOOT_MAX = 2 ** 50

const nameShape = v.pipe(v.string(), v.regex(NODE_NAME, 'a node name is 1 to 64 letters, digits, dots, dashes'))
const bootShape = v.pipe(countShape, v.maxValue(BOOT_MAX))
/** `~` sorts behind every nonce: nothing of that boot is taken any more. */
const nonceShape = v.pipe(v.string(), v.regex(/^([0-9a-f]{8,64}|~)$/, 'a nonce is hex'))
const seqShape = v.pipe(countShape, v.minValue(1))
const pathShape = v.pipe(v.string(), v.minLength(1), v.maxLength(PATH_CHARS_MAX))

const changeShape: v.GenericSchema<unknown, ConfigChange> = v.strictObject({
  path: pathShape,
  value: v.exactOptional(treeShape),
  revision: seqShape,
  goal: v.exactOptional(idShape)
})

const recordShape: v.GenericSchema<unknown, StateRecord> = v.strictObject({
  origin: peerShape,
  name: nameShape,
  boot: bootShape,
  nonce: nonceShape,
  seq: seqShape,
  snapshot: v.boolean(),
  more: v.exactOptional(v.literal(true)),
  transaction: v.strictObject({ id: textShape, at: timeShape, changes: listOf(changeShape) })
})

const printShape = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'a print is 32 hex digits'))

const headShape: v.GenericSchema<unknown, Head> = v.object({
  origin: peerShape,
  boot: bootShape,
  nonce: nonceShape,
  seq: countShape,
  print: v.exactOptional(printShape),
  fork: v.exactOptional(v.literal(true))
})
const headsShape = v.pipe(v.array(headShape), v.maxLength(ORIGINS_MAX))
const sumsShape = v.pipe(
  bytesShape,
  v.check(({ byteLength }) => byteLength === SUMS_BYTES, `sums are ${SUMS_BYTES} bytes`)
)
const bucketsShape = v.pipe(v.array(v.pipe(countShape, v.maxValue(BUCKETS - 1))), v.maxLength(BUCKETS))

/** Every message of the state protocol, and what the topic of heads carries. */
export const stateShape: v.GenericSchema<unknown, StateMessage> = v.variant('type', [
  v.object({ type: v.literal('compare'), print: printShape }),
  v.object({ type: v.literal('same') }),
  v.object({ type: v.literal('differs'), sums: v.exactOptional(sumsShape) }),
  v.object({
    type: v.literal('pull'),
    have: headsShape,
    of: v.exactOptional(v.pipe(v.array(peerShape), v.maxLength(ORIGINS_MAX))),
    buckets: v.exactOptional(bucketsShape)
  }),
  v.object({ type: v.literal('records'), envelopes: listOf(bytesShape) }),
  v.object({ type: v.literal('fork'), proof: v.tuple([bytesShape, bytesShape]) }),
  v.object({ type: v.literal('forget'), envelopes: listOf(bytesShape) }),
  v.object({ type: v.literal('done') })
])
export const announcementShape = v.object({ heads: headsShape })

/**
 * The bytes that the owner signs.
 * @throws CloudburstError CB_FRAME_TOO_LONG beyond RECORD_BYTES_MAX
 */
export function encodeRecord(record: StateRecord): Uint8Array {
  const payload = encodeMessage(record)
  if (payload.byteLength > RECORD_BYTES_MAX) throw tooLong(record.transaction.changes[0]?.path ?? '', payload.byteLength)
  return payload
}

/**
 * The record in a payload whose signature by `signer` holds.
 * @throws CloudburstError CB_FRAME_INVALID, CB_FRAME_TOO_LONG; CB_SIGNATURE_INVALID when it speaks for somebody else
 */
export function decodeRecord(payload: Uint8Array, signer: string): StateRecord {
  if (payload.byteLength > RECORD_BYTES_MAX) throw tooLong(`a record of ${signer}`, payload.byteLength)
  const result = v.safeParse(recordShape, decodeMessage(payload), { abortEarly: true })
  if (!result.success)
    throw new CloudburstError('CB_FRAME_INVALID', `a state record of ${signer} is refused: ${result.issues[0].message.slice(0, 200)}`, {
      peer: signer
    })
  const record = result.output
  if (record.origin !== signer)
    throw new CloudburstError('CB_SIGNATURE_INVALID', `${signer} signed a state record for ${record.origin}`, { peer: signer })
  return record
}

/**
 * A change's own share of a record, in bytes.
 * @throws CloudburstError CB_VALUE_INVALID for a change that others would refuse
 */
export function changeBytes(change: ConfigChange): number {
  const result = v.safeParse(changeShape, change, { abortEarly: true })
  if (!result.success)
    throw new CloudburstError(
      'CB_VALUE_INVALID',
      `${change.path.slice(0, 100)} cannot be published: ${result.issues[0].message.slice(0, 200)}`
    )
  return encodeMessage(change).byteLength
}

function tooLong(what: string, bytes: number): CloudburstError {
  return new CloudburstError('CB_FRAME_TOO_LONG', `${what} takes ${bytes} bytes of state, more than ${RECORD_BYTES_MAX}`)
}
