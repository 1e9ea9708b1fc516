/**
 * The node without a daemon: what the CLI may use of it. Everything heavy is imported when it is called.
 * Programs run in this process with a store of their own below the home, so that a goal that failed can be repaired
 * by the next command.
 */
import { readFileSync } from 'node:fs'
import { CloudburstError } from '../errors.ts'
import type { Home } from './home.ts'
import type { Agency, Principal, StoreCheck } from './control/contract.ts'
import type { Surroundings } from './programs/program-files.ts'

/** Homes and tickets, which bring the keys of nodes: a program that is only listed needs none of it. */
export async function homes() {
  const [{ initHome, openHome, resolveHome }, { addPending, parseTicket }] = await Promise.all([
    import('./home.ts'),
    import('./joining/tickets.ts')
  ])
  return { initHome, openHome, resolveHome, addPending, parseTicket }
}

/** Putting the product on other hosts, with all of ssh2. */
export async function delivery() {
  const [artefact, delivering, reaching, forgetting, selecting, enrolling] = await Promise.all([
    import('./delivery/artefact.ts'),
    import('./delivery/deliver.ts'),
    import('./delivery/reach.ts'),
    import('./delivery/forget.ts'),
    import('./mesh/selector.ts'),
    import('./joining/enrolment.ts')
  ])
  return { ...artefact, ...delivering, ...reaching, ...forgetting, ...selecting, ...enrolling }
}

/** The daemon as a service of this machine. */
export async function services() {
  return await import('./delivery/service.ts')
}

export interface Solo {
  readonly agency: Agency
  readonly by: Principal
  /** For the person who runs it, e.g. of a private file that is none. */
  readonly warnings: readonly string[]
  /** What is told with `-v`: definitions that replace earlier ones. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

/**
 * Opens the program that `files` make together. Planning and listing touch nothing; the first call that pursues
 * or looks at goals opens the program's own store below `<home>/solo`.
 * @param files names or paths, looked up as docs/language.md says
 * @param strict unknown elements and attributes are errors, not warnings
 * @throws CloudburstError CB_PROGRAM_INVALID
 */
export async function solo(files: readonly string[], home: string, around: Surroundings, strict = false): Promise<Solo> {
  const { openSolo } = await import('./agency/solo-agency.ts')
  return openSolo(files, home, around, strict)
}

/**
 * The goals of program files, without an agency: the same rows and warnings as {@link solo} gives, sooner.
 * @throws CloudburstError CB_PROGRAM_INVALID, CB_PROGRAM_UNKNOWN
 */
export async function listed(
  files: readonly string[],
  around: Surroundings,
  options: { readonly strict: boolean; readonly locale?: string }
) {
  const { listing } = await import('./programs/listing.ts')
  return await listing(files, around, options)
}

/**
 * Keeps a ticket until the daemon of this home has presented it. Durable on return.
 * @returns the node that invites
 * @throws CloudburstError CB_HOME_MISSING, CB_TICKET_INVALID
 */
export async function joinHome(home: Home, text: string): Promise<{ readonly peer: string }> {
  const { openHome, addPending, parseTicket } = await homes()
  openHome(home)
  const ticket = parseTicket(text)
  addPending(home.tickets, ticket)
  return { peer: ticket.peer }
}

/** Authorities, grants and keys of a home. @throws CloudburstError CB_HOME_MISSING */
export async function trustOf(home: Home) {
  const { trustAtHome } = await import('./permissions/at-home.ts')
  return trustAtHome(home)
}

/**
 * The text of a program in canonical form.
 * @throws CloudburstError CB_XML_INVALID
 */
export async function formatted(text: string, file: string): Promise<string> {
  const { formatProgram } = await import('../goals/program/format.ts')
  return formatProgram(text, file)
}

/** What can be done with the store of a home while its daemon is down. Each @throws CloudburstError CB_ALREADY_RUNNING, CB_HOME_MISSING, CB_STORE_NEWER */
export interface StoreAtRest {
  check(): Promise<StoreCheck>
  /** @param file replaced; on disk on return. @throws CloudburstError CB_STORE_DAMAGED */
  exportTo(file: string): Promise<{ readonly keys: number; readonly bytes: number }>
  /** @throws CloudburstError CB_STORE_NOT_EMPTY, CB_STORE_DAMAGED: nothing was changed then */
  importFrom(file: string): Promise<{ readonly keys: number; readonly runs: number }>
}

/** The store of this home, kept from any daemon while something is done with it. */
export async function storeAtRest(home: Home): Promise<StoreAtRest> {
  const care = await import('./store/care.ts')
  const { bindControl } = await import('./control/server.ts')
  const { openHome } = await homes()
  const directory = `${home.state}/store`
  const alone = async <T>(what: () => Promise<T>): Promise<T> => {
    openHome(home)
    const socket = await bindControl(home.socket)
    try {
      return await what()
    } finally {
      await socket.stop()
    }
  }
  return {
    check: () => alone(() => care.checkAtRest(directory)),
    exportTo: file => alone(() => care.exportAtRest(directory, file)),
    importFrom: file => alone(() => care.importAtRest(directory, file))
  }
}

/** The audit log of a home, whether its daemon runs or not. */
export async function auditLog(home: Home) {
  const log = await import('./permissions/audit-log.ts')
  const { createFile } = await import('./files/atomic-file.ts')
  const lines = function* (): Generator<string> {
    for (const file of log.auditFiles(home.auditLog)) yield readFileSync(file, 'utf8')
  }
  return {
    read: () => log.readAudit(home.auditLog),
    follow: (signal: AbortSignal) => log.followAudit(home.auditLog, signal),
    verify: () => log.checkAudit(home.auditLog),
    lines,
    /** Mode 0600. @returns how many lines. @throws CloudburstError CB_USAGE when the file is there already */
    exportTo: (file: string): number => {
      const text = [...lines()].join('')
      if (!createFile(file, text, 0o600)) throw new CloudburstError('CB_USAGE', `${file} exists already`, { command: 'audit' })
      return text.split('\n').length - 1
    }
  }
}

/** The text of a commented program with one goal. */
export async function startingProgram(name: string): Promise<string> {
  const { startingText } = await import('../goals/frontends/starting.ts')
  return startingText(name)
}

/**
 * The text of a program that does what a shell script does, and remarks about it.
 * @param file as it is called in messages
 * @param path absolute
 * @param directory absolute, where the script would have been started
 * @throws CloudburstError CB_SCRIPT_INVALID
 */
export async function programFromScript(
  name: string,
  script: { readonly bytes: Buffer; readonly file: string; readonly path: string; readonly directory: string }
): Promise<{ readonly text: string; readonly notes: readonly string[] }> {
  const { parseScript } = await import('./programs/shell-parser.ts')
  const { programOfScript } = await import('../goals/frontends/shell/write.ts')
  return programOfScript(name, await parseScript(script.bytes, script.file, script.path, script.directory))
}
