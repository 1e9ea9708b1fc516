/** The keys of hosts as ssh keeps them. Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
import { createHash, createHmac } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type Verdict = 'known' | 'unknown' | 'changed' | 'revoked'

interface Line {
  readonly marker: string
  readonly patterns: string
  readonly type: string
  readonly key: string
}

/** `SHA256:…`, as ssh prints it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** What the files say about a host's key. Another type of key that is known counts as another key, as with ssh. */
export function judge(files: readonly string[], host: string, port: number, key: Uint8Array): Verdict {
  const lines = linesFor(files, host, port)
  const encoded = Buffer.from(key).toString('base64')
  if (lines.some(line => line.marker === '@revoked' && line.key === encoded)) return 'revoked'
  const plain = lines.filter(line => line.marker === '')
  if (plain.some(line => line.key === encoded)) return 'known'
  return plain.length > 0 ? 'changed' : 'unknown'
}

/** The types of the keys that are known of a host: it is asked for one of these. */
export function knownTypes(files: readonly string[], host: string, port: number): string[] {
  return [...new Set(linesFor(files, host, port).flatMap(line => (line.marker === '' ? [line.type] : [])))]
}

/** Writes a key down. Durable enough: it can be asked for again. */
export function remember(file: string, host: string, port: number, key: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const start = before === '' || before.endsWith('\n') ? '' : '\n'
  appendFileSync(file, `${start}${nameOf(host, port)} ${typeOf(key)} ${Buffer.from(key).toString('base64')}\n`, { mode: 0o600 })
}

/** The first field of a key as it is on the wire: its type. */
function typeOf(key: Uint8Array): string {
  const bytes = Buffer.from(key)
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString('latin1')
}

function linesFor(files: readonly string[], host: string, port: number): Line[] {
  const name = nameOf(host, port)
  return files
    .filter(file => existsSync(file))
    .flatMap(file => readFileSync(file, 'utf8').split('\n'))
    .flatMap(read)
    .filter(({ patterns }) => matches(patterns, name))
}

function read(text: string): Line[] {
  const words = text.trim().split(/\s+/)
  if (words[0] === undefined || words[0] === '' || words[0].startsWith('#')) return []
  const marker = words[0].startsWith('@') ? (words.shift() ?? '') : ''
  const [patterns, type, key] = words
  return patterns === undefined || type === undefined || key === undefined ? [] : [{ marker, patterns, type, key }]
}

function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith('|1|')) {
    const [, , salt = '', hash] = patterns.split('|')
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  const list = patterns.toLowerCase().split(',')
  if (list.some(pattern => pattern.startsWith('!') && like(pattern.slice(1), name))) return false
  return list.some(pattern => like(pattern, name))
}

/** `*` and `?`, nothing else. */
function like(pattern: string, name: string): boolean {
  const source = [...pattern].map(each => (each === '*' ? '.*' : each === '?' ? '.' : each.replace(/[\\^$.|+()[\]{}]/, '\\$&'))).join('')
  return new RegExp(`^${source}$`).test(name)
}
