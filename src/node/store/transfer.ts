/**
 * A store as text and back: one JSON object a line, every key with its value and a hash that covers all before it.
 *
 *   {"type":"store","version":2,"at":"2026-…"}
 *   {"key":"r!01JD…","sum":"…","value":{…}}        as stored, byte for byte
 *   {"key":"c!…","sum":"…","base64":"…"}           values that are not JSON
 *   {"type":"end","keys":2,"sum":"…"}
 *
 * `sum` is the SHA-256, hex, of the sum before it, the key, a zero byte and the value.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { CloudburstError } from '../../errors.ts'
import { replaceWhole } from '../files/atomic-file.ts'
import type { RawOp } from './group-commit.ts'
import type { Database } from './heads.ts'
import { SCHEMA_KEY, SCHEMA_VERSION } from './migration.ts'
import type { Reader } from './reader.ts'

/** Most bytes that are held before they are written. */
const CHUNK_BYTES = 1024 * 1024

interface Line {
  readonly type?: string
  readonly version?: number
  readonly key?: string
  readonly sum?: string
  readonly keys?: number
  readonly base64?: string
}

/** Writes all keys to `file` (0600), which appears whole or not at all; on disk on return. @returns how many */
export async function exportStore(
  store: Reader,
  file: string,
  version: number
): Promise<{ readonly keys: number; readonly bytes: number }> {
  let bytes = 0
  let keys = 0
  await replaceWhole(
    file,
    async handle => {
      let held: string[] = []
      let heldBytes = 0
      const flush = async (): Promise<void> => {
        const text = held.map(line => `${line}\n`).join('')
        bytes += Buffer.byteLength(text)
        held = []
        heldBytes = 0
        await handle.writeFile(text)
      }
      const write = async (line: string): Promise<void> => {
        held.push(line)
        heldBytes += line.length + 1
        if (heldBytes >= CHUNK_BYTES) await flush()
      }
      let sum = ''
      await write(JSON.stringify({ type: 'store', version, at: new Date().toISOString() }))
      for await (const [key, value] of store.rawRange({ prefix: '' })) {
        sum = sumOf(sum, key, value)
        keys++
        await write(lineOf(key, sum, value))
      }
      await write(JSON.stringify({ type: 'end', keys, sum }))
      await flush()
    },
    { mode: 0o600 }
  )
  return { keys, bytes }
}

/**
 * Writes what `file` holds into an empty database; on disk on return.
 * @throws CloudburstError CB_STORE_DAMAGED naming the line when the file is cut or was changed, CB_STORE_NEWER
 */
export async function importStore(file: string, database: Database): Promise<{ readonly keys: number }> {
  let keys = 0
  let number = 0
  let sum = ''
  let ended = false
  let ops: RawOp[] = []
  let bytes = 0
  const wrong = (what: string): CloudburstError =>
    new CloudburstError('CB_STORE_DAMAGED', `${file}:${number}: ${what}`, { file, line: number })
  for await (const text of linesOf(file)) {
    number++
    const line = parse(text)
    if (line === undefined || ended) throw wrong(ended ? 'there is more after the end' : 'this is no line of an export')
    if (number === 1) checkHead(file, line)
    else if (line.type === 'end') {
      if (line.sum !== sum || line.keys !== keys) throw wrong('some lines before are missing')
      ended = true
    } else {
      const value = valueIn(text, line)
      if (line.key === undefined || value === undefined) throw wrong('this is no line of an export')
      sum = sumOf(sum, line.key, value)
      if (line.sum !== sum) throw wrong('this line, or one before it, was changed')
      keys++
      ops.push({ type: 'put', key: line.key, value })
      bytes += value.length
      if (bytes < CHUNK_BYTES) continue
      await database.batch(ops)
      ops = []
      bytes = 0
    }
  }
  if (!ended) throw wrong('the export ends here, before its last line')
  await database.batch(ops, { sync: true })
  return { keys }
}

/** Lines end with a newline and nothing else: other separators may stand in values. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = (rest + (chunk as string)).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  if (rest !== '') yield rest
}

function checkHead(file: string, line: Line): void {
  if (line.type !== 'store' || line.version === undefined)
    throw new CloudburstError('CB_STORE_DAMAGED', `${file}:1: this is no export of a store`, { file, line: 1 })
  if (line.version > SCHEMA_VERSION) {
    const message = `${file} is of a store of version ${line.version}, this program knows ${SCHEMA_VERSION}`
    throw new CloudburstError('CB_STORE_NEWER', message, { file, version: line.version })
  }
}

/** Text that is JSON stands as it is, so that its bytes, over which hashes were made, stay the same. */
function lineOf(key: string, sum: string, value: Buffer): string {
  const text = value.toString()
  return parse(text) !== undefined && !text.includes('\n') && Buffer.from(text).equals(value)
    ? `${prefixOf(key, sum)}${text}}`
    : JSON.stringify({ key, sum, base64: value.toString('base64') })
}

function prefixOf(key: string, sum: string): string {
  return `{"key":${JSON.stringify(key)},"sum":"${sum}","value":`
}

function valueIn(text: string, { key, sum, base64 }: Line): Buffer | undefined {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  const prefix = prefixOf(key ?? '', sum ?? '')
  return text.startsWith(prefix) ? Buffer.from(text.slice(prefix.length, -1)) : undefined
}

function sumOf(before: string, key: string, value: Buffer): string {
  return createHash('sha256').update(before).update(key).update('\0').update(value).digest('hex')
}

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}

/** Keys that a store has which nothing was ever put into. */
export const EMPTY_KEYS: ReadonlySet<string> = new Set([SCHEMA_KEY, 'b!boot', 'b!probe'])
