/** Where a node keeps what: every path of a home, and how one is made. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { generateIdentity, type Identity, identityFromPem, identityToPem } from '../crypto/identity.ts'
import { CloudburstError } from '../errors.ts'
import { createFile } from './files/atomic-file.ts'
import { CONTROL_SOCKET, controlBase } from './control/contract.ts'
import { checkOnlyOursToRead, checkOnlyOursToWrite } from './files/file-safety.ts'
import { type NewNeighborhood, neighborhoodText } from './neighborhood/sample.ts'
import { permissionsText } from './permissions/sample.ts'

/** All paths of one node, absolute. */
export interface Home {
  /** What `--home` says, or the state directory when there is no `--home`: names this node in messages. */
  readonly base: string
  readonly neighborhood: string
  readonly permissions: string
  /** Programs that this node loads by itself. */
  readonly programs: string
  readonly identityKey: string
  /** Key of the person whose node this is, if they have made one. */
  readonly personKey: string
  /** Directory, 0700, of the authorities whose keys are here. */
  readonly authorities: string
  /** What was handed on of the grants that this home holds. */
  readonly handedOn: string
  /** Store, steps, output, audit log. */
  readonly state: string
  readonly auditLog: string
  /** Directory, 0700, and socket of the control API. */
  readonly control: string
  readonly socket: string
  /** Certificates of the control API and their keys. */
  readonly tls: string
  /** Short-lived things, such as tickets that wait to be presented. */
  readonly run: string
  readonly tickets: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The paths of a home: all below `--home` or $CLOUDBURST_HOME; else below /etc/cloudburst and /var/lib/cloudburst for root,
 * and the XDG configuration and state directories for everybody else. Makes and reads nothing.
 */
export function resolveHome(home?: string, env: Environment = process.env, uid: number | undefined = process.getuid?.()): Home {
  const base = resolve(controlBase(home, env, uid))
  const config = resolve(configBase(home, env, uid))
  const state = join(base, 'state')
  const socket = join(base, CONTROL_SOCKET)
  return {
    base,
    neighborhood: join(config, 'neighborhood.xml'),
    permissions: join(config, 'permissions.xml'),
    programs: join(config, 'programs'),
    identityKey: join(base, 'identity.key'),
    personKey: join(base, 'person.key'),
    authorities: join(base, 'authorities'),
    handedOn: join(base, 'handed-on.json'),
    state,
    auditLog: join(state, 'audit.log'),
    control: resolve(socket, '..'),
    socket,
    tls: join(state, 'tls'),
    run: join(base, 'run'),
    tickets: join(base, 'run', 'tickets.json')
  }
}

/**
 * Makes a home: configuration as commented samples, and the identity. Durable on return.
 * @returns the new node's peer id
 * @throws CloudburstError CB_HOME_EXISTS when its neighborhood.xml is there already; nothing is changed then
 */
export function initHome(home: Home, what: NewNeighborhood): { readonly peer: string } {
  if (existsSync(home.neighborhood)) throw exists(home)
  const text = neighborhoodText(what)
  makeDirectories(home)
  if (!createFile(home.neighborhood, text, 0o644)) throw exists(home)
  createFile(home.permissions, permissionsText(), 0o644)
  return { peer: loadIdentity(home).peer }
}

/**
 * Makes the directories of a home that are not there: 0755 for configuration, 0700 for everything else.
 * @throws CloudburstError CB_HOME_MISSING when there is no neighborhood.xml; CB_FILE_UNSAFE when others may write what the node believes
 */
export function openHome(home: Home): void {
  checkHomeThere(home)
  makeDirectories(home)
  checkHome(home)
}

/** @throws CloudburstError CB_HOME_MISSING when no node was made there */
export function checkHomeThere(home: Home): void {
  if (existsSync(home.neighborhood)) return
  throw new CloudburstError('CB_HOME_MISSING', `there is no node at ${home.base}: ${home.neighborhood} does not exist`, { home: home.base })
}

/** Whatever the node believes or keeps is its user's alone, and stands where it seems to stand. */
function checkHome(home: Home): void {
  for (const path of [home.base, dirname(home.neighborhood), home.neighborhood, home.programs]) checkOnlyOursToWrite(path)
  if (existsSync(home.permissions)) checkOnlyOursToWrite(home.permissions)
  for (const name of readdirSync(home.programs)) checkOnlyOursToWrite(join(home.programs, name))
  for (const path of [home.state, home.control, home.run]) {
    checkOnlyOursToWrite(path)
    checkOnlyOursToRead(path)
  }
  const authorities = existsSync(home.authorities) ? readdirSync(home.authorities).map(name => join(home.authorities, name)) : []
  const secret = [
    home.identityKey,
    nextKey(home),
    home.personKey,
    home.handedOn,
    home.auditLog,
    home.tickets,
    home.authorities,
    ...authorities
  ]
  for (const path of secret) if (existsSync(path)) checkOnlyOursToRead(path)
}

/**
 * The node's identity, made on first use (0600, never overwritten; durable on return).
 * @throws CloudburstError CB_FILE_UNSAFE when others may read the key; CB_USAGE when it is not one
 */
export function loadIdentity(home: Home): Identity {
  if (!existsSync(home.identityKey)) createFile(home.identityKey, identityToPem(generateIdentity()), 0o600)
  checkOnlyOursToRead(home.identityKey)
  try {
    return identityFromPem(readFileSync(home.identityKey, 'utf8'))
  } catch (error) {
    if (error instanceof CloudburstError) throw new CloudburstError(error.code, `${home.identityKey}: ${error.message}`)
    throw error
  }
}

/**
 * Makes the key that this node has from its next start on. Durable on return.
 * @throws CloudburstError CB_USAGE when there is one already
 */
export function makeNextIdentity(home: Home): Identity {
  const next = generateIdentity()
  if (createFile(nextKey(home), identityToPem(next), 0o600)) return next
  throw new CloudburstError('CB_USAGE', `${nextKey(home)} waits already for the next start of the daemon`, { command: 'identity' })
}

/** Puts the key that was made for this start into its place; the one before it is good for nothing any more, and goes. Called before anything reads it. */
export function turnIdentity(home: Home): void {
  if (existsSync(nextKey(home))) renameSync(nextKey(home), home.identityKey)
}

function nextKey({ identityKey }: Home): string {
  return `${identityKey}.next`
}

/**
 * The key of the person whose node this is.
 * @param make when there is none yet
 * @throws CloudburstError CB_FILE_UNSAFE when others may read the key
 */
export function loadPerson(home: Home, make = false): Identity | undefined {
  if (!existsSync(home.personKey)) {
    if (!make) return undefined
    createFile(home.personKey, identityToPem(generateIdentity()), 0o600)
  }
  checkOnlyOursToRead(home.personKey)
  return identityFromPem(readFileSync(home.personKey, 'utf8'))
}

function configBase(home: string | undefined, env: Environment, uid: number | undefined): string {
  const named = home ?? env['CLOUDBURST_HOME']
  if (named !== undefined && named !== '') return named
  if (uid === 0) return '/etc/cloudburst'
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? '', '.config'), 'cloudburst')
}

function makeDirectories(home: Home): void {
  for (const path of [home.programs]) mkdirSync(path, { recursive: true, mode: 0o755 })
  for (const path of [home.base, home.state, home.control, home.run]) mkdirSync(path, { recursive: true, mode: 0o700 })
}

function exists(home: Home): CloudburstError {
  return new CloudburstError('CB_HOME_EXISTS', `${home.neighborhood} exists already: this home has a node`, { home: home.base })
}
