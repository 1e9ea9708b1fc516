/**
 * Signed statements: DSSE envelopes. What is signed is the type and the exact bytes, so nothing has to be
 * canonical and a relay passes the envelope on unchanged. Source: github.com/secure-systems-lab/dsse, protocol.md and envelope.md.
 */
import { CloudburstError } from '../errors.ts'
import { type Identity, sign, verify } from './identity.ts'

/** A statement whose signature holds. */
export interface Opened {
  /** Peer id of the signer. */
  readonly signer: string
  /** The bytes that were signed; parse them only now. */
  readonly payload: Uint8Array
}

/** What is signed: the type and the payload, each with its length before it ("PAE"). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType)
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.byteLength} `), type, Buffer.from(` ${payload.byteLength} `), payload])
}

/**
 * An envelope around `payload`, signed by `identity`: JSON text as bytes.
 * @param payloadType e.g. `application/vnd.cloudburst.state+cbor`
 */
export function seal(identity: Identity, payloadType: string, payload: Uint8Array): Uint8Array {
  const signature = sign(identity, preAuthEncoding(payloadType, payload))
  return Buffer.from(
    JSON.stringify({
      payload: Buffer.from(payload).toString('base64'),
      payloadType,
      signatures: [{ keyid: identity.peer, sig: Buffer.from(signature).toString('base64') }]
    })
  )
}

/**
 * What is in an envelope of this type, after its signature was verified.
 * @param bytesMax longest envelope to look at, in bytes
 * @throws CloudburstError CB_SIGNATURE_INVALID for anything else than exactly one good signature over this type
 */
export function open(envelope: Uint8Array, payloadType: string, bytesMax: number): Opened {
  if (envelope.byteLength > bytesMax) throw invalid(`it has ${envelope.byteLength} bytes, more than ${bytesMax}`)
  const { payload, signer, signature } = parts(envelope, payloadType)
  if (!verify(signer, preAuthEncoding(payloadType, payload), signature)) throw invalid(`it is not signed by ${signer}`)
  return { signer, payload }
}

function parts(envelope: Uint8Array, payloadType: string): { payload: Uint8Array; signer: string; signature: Uint8Array } {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(envelope).toString('utf8'))
  } catch {
    throw invalid('it is not JSON')
  }
  if (!isObject(value) || value['payloadType'] !== payloadType) throw invalid(`it is not of type ${payloadType}`)
  const { payload, signatures } = value
  const only: unknown = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined
  if (typeof payload !== 'string' || !isObject(only) || typeof only['keyid'] !== 'string' || typeof only['sig'] !== 'string') {
    throw invalid('it needs a payload and one signature')
  }
  return { payload: Buffer.from(payload, 'base64'), signer: only['keyid'], signature: Buffer.from(only['sig'], 'base64') }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(reason: string): CloudburstError {
  return new CloudburstError('CB_SIGNATURE_INVALID', `signed statement refused: ${reason}`)
}

/** The type that an envelope claims to be of, to choose who shall verify it; undefined for what is no envelope. */
export function claimedType(envelope: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(envelope).toString('utf8'))
    return isObject(value) && typeof value['payloadType'] === 'string' ? value['payloadType'] : undefined
  } catch {
    return undefined
  }
}
