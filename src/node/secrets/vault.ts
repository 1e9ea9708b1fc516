/**
 * Secrets of goals and agents, outside the journal: one file (0600) for each, in a directory of the node's own.
 * The same secret has the same name in every file, made with a key that never leaves this node, so that a journal
 * that names it neither holds nor hints at it.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Vault } from '../../goals/ports.ts'
import { createFile, replaceFile } from '../files/atomic-file.ts'
import { checkOnlyOursToRead } from '../files/file-safety.ts'
import { fileName } from '../runner/step-directory.ts'

/** Longest run of a command that gives a secret, in milliseconds: a vault's client that asks a person takes longer, and must not. */
const COMMAND_TIMEOUT_MS = 30_000
/** Longest secret, in bytes: a key file with its chain. */
const SECRET_BYTES_MAX = 256 * 1024

/** @param directory made when it is needed, 0700 */
export function openVault(directory: string): Vault {
  const files = new Map<string, Record<string, string>>()
  const path = (owner: string): string => join(directory, fileName(`${owner}.json`))
  const load = (owner: string): Record<string, string> => {
    const known =
      files.get(owner) ?? (existsSync(path(owner)) ? (JSON.parse(readFileSync(path(owner), 'utf8')) as Record<string, string>) : {})
    files.set(owner, known)
    return known
  }
  return {
    seal: (owner, secret) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const name = createHmac('sha256', keyIn(directory)).update(secret).digest('hex').slice(0, 24)
      const entries = load(owner)
      if (entries[name] !== secret) {
        const more = { ...entries, [name]: secret }
        replaceFile(path(owner), JSON.stringify(more), 0o600)
        files.set(owner, more)
      }
      return `kept:${owner}/${name}`
    },
    open: async sealed => {
      const [, kind, rest = ''] = /^(\w+):(.*)$/s.exec(sealed) ?? []
      switch (kind) {
        case 'kept': {
          const at = rest.lastIndexOf('/')
          const entries = load(rest.slice(0, at))
          return Object.hasOwn(entries, rest.slice(at + 1)) ? entries[rest.slice(at + 1)] : undefined
        }
        case 'env':
          return process.env[rest]
        case 'file':
          return await fromFile(rest)
        case 'command':
          return await fromCommand(rest)
        default:
          return undefined
      }
    },
    drop: owner => {
      files.delete(owner)
      rmSync(path(owner), { force: true })
    }
  }
}

function keyIn(directory: string): Buffer {
  const path = join(directory, 'key')
  if (!existsSync(path)) createFile(path, randomBytes(32).toString('hex'), 0o600)
  checkOnlyOursToRead(path)
  return Buffer.from(readFileSync(path, 'utf8'), 'hex')
}

async function fromFile(name: string): Promise<string | undefined> {
  try {
    const text = await readFile(name.replace(/^~(?=\/)/, homedir()), 'utf8')
    return text.length > SECRET_BYTES_MAX ? undefined : text.replace(/\r?\n$/, '')
  } catch {
    return undefined
  }
}

function fromCommand(command: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: SECRET_BYTES_MAX, cwd: '/' }
    const child = execFile('/bin/sh', ['-c', command], options, (error, stdout) =>
      resolve(error === null ? stdout.replace(/\r?\n$/, '') : undefined)
    )
    child.stdin?.end()
  })
}
