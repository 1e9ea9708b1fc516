/** A host as delivering sees it: commands with input, and files put there. Two things do it: ssh2, and the user's own ssh. */
import type { Readable } from 'node:stream'
import { CloudburstError } from '../../errors.ts'

/** Most of what a command prints that is kept, in characters of each stream: enough for any message. */
export const SAID_CHARACTERS_MAX = 64 * 1024

export interface Said {
  /** 255 when the connection ended before the command did. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Remote {
  /** `USER@HOST` as it was given. */
  readonly name: string
  /** Runs a command in the user's shell; `input` is its standard input, which ends with it. */
  run(command: string, input?: Readable | string): Promise<Said>
  /**
   * Puts a file there by the sftp subsystem, going on where an earlier try stopped.
   * @throws CloudburstError CB_DELIVERY_FAILED when the host has none, or the connection ended
   */
  put(local: string, remote: string, onBytes: (sent: number) => void): Promise<void>
  close(): void
}

/** What is needed to reach a host. */
export interface Target {
  /** As given: `user@host`, `host`, or an alias of the user's ssh configuration. */
  readonly name: string
  readonly host: string
  readonly user: string
  readonly port: number
  /** Private keys, tried in this order after those of the agent. */
  readonly identities: readonly string[]
  /** The hosts on the way there, first hop first. */
  readonly jumps: readonly Target[]
  /** Files of host keys; a key that is accepted is written to the first. */
  readonly knownHosts: readonly string[]
  /** What it is called in those files, when not by its name. */
  readonly alias?: string
  /** Why ssh2 cannot do it, e.g. `ProxyCommand`. */
  readonly needsSsh?: string
}

/** Answers that only a person, or a file of theirs, has. */
export interface Answers {
  /** Whether the host with this fingerprint is the right one. */
  acceptHostKey(host: string, fingerprint: string): Promise<boolean>
  /** Of the account; undefined when there is none. */
  password(host: string): Promise<string | undefined>
  /** Of a private key; undefined when there is none. */
  passphrase(file: string): Promise<string | undefined>
}

/** A word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A script with its arguments, as one command. */
export function scripted(script: string, words: readonly string[]): string {
  return `sh -c ${[script, 'cloudburst', ...words].map(quoted).join(' ')}`
}

export function failed(host: string, message: string, fix: string, cause?: unknown): CloudburstError {
  return new CloudburstError('CB_DELIVERY_FAILED', `${host}: ${message}`, { host, fix }, cause)
}
