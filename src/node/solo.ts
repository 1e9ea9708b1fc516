/**
 * The node without a daemon: what the CLI may use of it. Everything heavy is imported when it is called.
 * Programs run in this process with a store of their own below the home, so that a goal that failed can be repaired
 * by the next command.
 */
import { type Home, initHome, openHome, resolveHome } from './home.ts'
import type { Agency, Principal } from './control/contract.ts'
import { addPending, parseTicket } from './tickets.ts'

export { initHome, parseTicket, resolveHome }

export interface Solo {
  readonly agency: Agency
  readonly by: Principal
  close(): Promise<void>
}

/**
 * Opens the program that `files` make together. Planning and listing touch nothing; the first call that pursues
 * or looks at goals opens the program's own store below `<home>/solo`.
 * @param files absolute paths
 * @throws CloudburstError CB_PROGRAM_INVALID
 */
export async function solo(files: readonly string[], home: string): Promise<Solo> {
  const { openSolo } = await import('./solo-agency.ts')
  return openSolo(files, home)
}

/**
 * Keeps a ticket until the daemon of this home has presented it. Durable on return.
 * @returns the node that invites
 * @throws CloudburstError CB_HOME_MISSING, CB_TICKET_INVALID
 */
export function joinHome(home: Home, text: string): { readonly peer: string } {
  openHome(home)
  const ticket = parseTicket(text)
  addPending(home.tickets, ticket)
  return { peer: ticket.peer }
}

/**
 * The text of a program in canonical form.
 * @throws CloudburstError CB_XML_INVALID
 */
export async function formatted(text: string, file: string): Promise<string> {
  const { formatProgram } = await import('../goals/program/format.ts')
  return formatProgram(text, file)
}
