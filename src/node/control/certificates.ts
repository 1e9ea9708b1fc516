/** The certificates of the control API beyond loopback: made on first use, kept below the state, renewed at two thirds of their life. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  boundPeer,
  type Certified,
  isGood,
  issueLeaf,
  type LeafNames,
  makeCertificateAuthority,
  namesOf,
  renewalOf
} from '../../crypto/certificate.ts'
import type { Identity } from '../../crypto/identity.ts'
import { replaceFile } from '../files/atomic-file.ts'
import { checkOnlyOursToRead } from '../files/file-safety.ts'
import type { Log } from '../files/live-file.ts'

/** How often it is looked whether a certificate is to be renewed, in milliseconds. */
const LOOK_INTERVAL_MS = 60 * 60_000

export interface Certificates {
  /** Certificate of the authority, PEM: what a browser or curl is told to believe. */
  readonly authority: string
  readonly authorityFile: string
  /** Leaf with its chain, and its key. */
  readonly current: Certified
  /** Called with each new leaf. @returns ends it */
  onRenew(listener: (leaf: Certified) => void): () => void
  /** Looks now whether something is to be renewed; otherwise that happens by itself. */
  look(): void
  close(): void
}

export interface CertificatesOptions {
  /** Made 0700 when it is not there. */
  readonly directory: string
  readonly identity: Identity
  /** Of this node. */
  readonly name: string
  readonly names: LeafNames
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** @throws CloudburstError CB_FILE_UNSAFE when others may read a key */
export function openCertificates(options: CertificatesOptions): Certificates {
  const { directory, identity, name, names, now, log } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const listeners = new Set<(leaf: Certified) => void>()
  const renewed = (): { authority: Certified; leaf: Certified; isNew: boolean } => {
    const authority =
      kept(directory, 'ca', pair => isDue(pair.certificate, now())) ?? write(directory, 'ca', makeCertificateAuthority(name, now()))
    const leaf = kept(directory, 'leaf', pair => !isOurs(pair, authority, options) || isDue(pair.certificate, now()))
    if (leaf !== undefined) return { authority, leaf, isNew: false }
    return { authority, leaf: write(directory, 'leaf', issueLeaf(authority, identity, names, now())), isNew: true }
  }
  let { authority, leaf } = renewed()
  const look = (): void => {
    const next = renewed()
    if (!next.isNew) return
    authority = next.authority
    leaf = next.leaf
    log.info({ renewAt: new Date(renewalOf(leaf.certificate)).toISOString() }, 'the certificate of the control API is renewed')
    for (const listener of listeners) listener(leaf)
  }
  const timer = setInterval(() => {
    try {
      look()
    } catch (error) {
      // The old one is good for a third of its life yet; in an hour it is tried again.
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'the certificate of the control API is not renewed')
    }
  }, LOOK_INTERVAL_MS).unref()
  return {
    get authority() {
      return authority.certificate
    },
    authorityFile: join(directory, 'ca.pem'),
    get current() {
      return leaf
    },
    onRenew(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    look,
    close: () => clearInterval(timer)
  }
}

function isDue(certificate: string, now: number): boolean {
  return now >= renewalOf(certificate)
}

/** Still by our authority, for our identity, and for every name we have. */
function isOurs(leaf: Certified, authority: Certified, { identity, names, now }: CertificatesOptions): boolean {
  if (!isGood(leaf, authority, now()) || boundPeer(leaf.certificate) !== identity.peer) return false
  const known = namesOf(leaf.certificate).toLowerCase().split(', ')
  return names.hosts.every(host => known.includes(`dns:${host.toLowerCase()}`)) && names.addresses.length <= known.length
}

/** What is kept under a name, unless it is to be `replaced`. */
function kept(directory: string, name: string, replaced: (pair: Certified) => boolean): Certified | undefined {
  const [file, keyFile] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)]
  if (!existsSync(file) || !existsSync(keyFile)) return undefined
  checkOnlyOursToRead(keyFile)
  const pair = { certificate: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  try {
    return replaced(pair) ? undefined : pair
  } catch {
    return undefined
  }
}

/** The key first: a certificate without its key would be believed to be whole. */
function write(directory: string, name: string, pair: Certified): Certified {
  replaceFile(join(directory, `${name}.key`), pair.key, 0o600)
  replaceFile(join(directory, `${name}.pem`), pair.certificate, 0o644)
  return pair
}
