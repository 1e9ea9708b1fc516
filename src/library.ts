/**
 * What programs in JavaScript may use: `import { connect, ConfigMonitor, ConfigUpdater } from 'cloudburst'`.
 * Everything else of this package may change without notice.
 */
import { controlClient } from './cli/control-client.ts'
import type { Principal } from './goals/pursuit/events.ts'
import { CONTROL_SOCKET, controlBase } from './node/control/contract.ts'
import type { Agency } from './protocols/agency/calls.ts'

export { CloudburstError } from './errors.ts'
export { ConfigMonitor } from './protocols/state/config-monitor.ts'
export { ConfigUpdater } from './protocols/state/config-updater.ts'

/** A daemon of this machine. */
export interface Connection {
  /** Its agency, or that of another node through it. */
  agency(node?: string): Agency
  /** Who asks, as the daemon's own record has it. */
  readonly by: Principal
  /** Ends everything that is under way. */
  close(): void
}

/**
 * Talks to the daemon of a home; connects when the first call is made.
 * @param home as with `--home`: else $CLOUDBURST_HOME, else where the daemon of this user has it
 */
export function connect(home?: string): Connection {
  const base = controlBase(home, process.env, process.getuid?.())
  const closing = new AbortController()
  const client = controlClient({ socket: `${base}/${CONTROL_SOCKET}`, home: base, signal: closing.signal, onWaiting: () => undefined })
  return { agency: node => client.agency(node), by: { peer: '', node: '' }, close: () => closing.abort() }
}
