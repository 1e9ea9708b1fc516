/** Whom a command talks to: the daemon of this home, a peer through it, or, for FILE words, nobody but this process. */
import type { Agency, Principal } from '../node/control/contract.ts'
import { CONTROL_SOCKET, controlBase } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import { escapeTerminal } from '../goals/render/escape.ts'
import { type Invocation, peersOf } from './arguments.ts'
import { type ControlClient, controlClient } from './control-client.ts'

export interface Session {
  readonly agency: Agency
  readonly by: Principal
  /** Words that a pasted command needs to reach the same place. */
  readonly suffix: readonly string[]
  /** In this process, without a daemon. */
  readonly solo: boolean
  close(): Promise<void>
}

/** The daemon says who stands at its socket; what a client claims is not looked at. */
const atTheSocket: Principal = { peer: '', node: '' }

/** The client of this home's daemon. */
export function daemonOf({ options, io }: Invocation): ControlClient {
  const base = controlBase(options.home, io.env, io.uid)
  return controlClient({
    socket: `${base}/${CONTROL_SOCKET}`,
    home: base,
    signal: io.interrupted,
    onWaiting: () => {
      io.stderr.write('waiting for the daemon\n')
    }
  })
}

/** @throws CloudburstError CB_USAGE when more than one peer is named */
export async function openSession(invocation: Invocation): Promise<Session> {
  const home = homeWords(invocation)
  if (invocation.files.length > 0) return await openSolo(invocation, home)
  if (invocation.options.strict)
    throw new CloudburstError('CB_USAGE', '--strict is for programs given as files', { command: invocation.command })
  const peer = onePeer(invocation)
  return sessionWith(daemonOf(invocation), peer, home)
}

/** A session with one peer of several. */
export function sessionWith(client: ControlClient, peer: string | undefined, home: readonly string[]): Session {
  const suffix = peer === undefined ? home : ['--peer', peer, ...home]
  return { agency: client.agency(peer), by: atTheSocket, suffix, solo: false, close: async () => {} }
}

/** `--home DIR` as it was given, for commands to paste. */
export function homeWords({ options }: Invocation): readonly string[] {
  return options.home === undefined ? [] : ['--home', options.home]
}

/** The one peer that was named, if any. */
export function onePeer({ command, options }: Invocation): string | undefined {
  const peers = peersOf(options)
  if (peers.length > 1)
    throw new CloudburstError('CB_USAGE', `${command} takes one peer, not ${peers.length}; dispatch takes several`, { command })
  return peers[0]
}

async function openSolo(invocation: Invocation, home: readonly string[]): Promise<Session> {
  if (peersOf(invocation.options).length > 0) {
    throw new CloudburstError(
      'CB_USAGE',
      `${invocation.command} with a file runs here; for a peer, load the file first or use --program FILE`,
      { command: invocation.command }
    )
  }
  const { daemonless } = await import('./daemonless.ts')
  const { solo } = await daemonless()
  const { options, io } = invocation
  const opened = await solo(invocation.files, controlBase(options.home, io.env, io.uid), io, options.strict)
  for (const warning of opened.warnings) invocation.io.stderr.write(`warning: ${escapeTerminal(warning)}\n`)
  const notes = (options.verbose?.length ?? 0) > 0 ? opened.notes : []
  for (const note of notes) invocation.io.stderr.write(`note: ${escapeTerminal(note)}\n`)
  return { agency: opened.agency, by: opened.by, suffix: [...invocation.files, ...home], solo: true, close: () => opened.close() }
}
