import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { CloudburstError } from '../../errors.ts'
import { shellWord } from '../../goals/render/words.ts'
import { type Invocation, milliseconds, noWords } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { showOne } from '../output.ts'
import { daemonOf } from '../session.ts'

/** Longest text of tickets on standard input, in characters: some dozens of them. */
const TICKETS_LENGTH_MAX = 64 * 1024

/** Makes a home, asks the daemon for a ticket, or takes tickets in. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { options } = invocation
  if (options.ticket) return await printTicket(invocation)
  const tickets = options.join === undefined ? [] : await ticketsOf(invocation)
  const { homes, joinHome } = await daemonless()
  const { resolveHome, initHome, parseTicket } = await homes()
  // Nothing is made for what is no ticket.
  for (const ticket of tickets) parseTicket(ticket)
  const home = resolveHome(options.home, invocation.io.env, invocation.io.uid)
  // Joining makes the home when there is none: one line pasted on a fresh host is enough.
  const fresh = tickets.length === 0 || !existsSync(home.neighborhood)
  if (fresh) {
    const { peer } = initHome(home, newNode(invocation))
    await showOne(invocation, { home: home.base, peer }, peer, () => [`made ${home.neighborhood} and ${home.permissions}`, `peer ${peer}`])
  }
  for (const ticket of tickets) {
    const { peer } = await joinHome(home, ticket)
    invocation.io.stderr.write(`will join ${peer}: the daemon asks there until it is let in\n`)
  }
  const words = options.home === undefined ? '' : ` --home ${shellWord(options.home)}`
  invocation.io.stderr.write(`next: ${fresh ? 'cloudburstd' : 'cloudburst peers'}${words}\n`)
  return 0
}

function newNode({ options }: Invocation) {
  return {
    name: options.name ?? hostname().split('.')[0] ?? 'node',
    labels: Object.fromEntries((options.label ?? []).map(keyAndValue)),
    mdns: !options['no-mdns'],
    ...(options.listen === undefined ? {} : { listen: options.listen })
  }
}

async function printTicket(invocation: Invocation): Promise<number> {
  const { lifetime, capability, email, key } = invocation.options
  const reply = await daemonOf(invocation).local('ticket', {
    ...(lifetime === undefined ? {} : { lifetimeMs: milliseconds(lifetime, 'lifetime') }),
    ...(capability === undefined ? {} : { capabilities: capability as never }),
    ...(email === undefined ? {} : { email }),
    ...(key === undefined ? {} : { boundTo: key })
  })
  invocation.io.stderr.write(`paste this on the other node, before ${new Date(reply.expiresAt).toISOString()}; it works once:\n`)
  await showOne(invocation, reply, reply.ticket, () => [`printf %s '${reply.ticket}' | cloudburst init --join -`])
  return 0
}

async function ticketsOf({ options, io }: Invocation): Promise<string[]> {
  if (options.join !== '-')
    throw new CloudburstError('CB_USAGE', 'a ticket is a secret: give it on standard input, with --join -', { command: 'init' })
  let text = ''
  for await (const chunk of io.stdin) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    if (text.length > TICKETS_LENGTH_MAX) throw new CloudburstError('CB_TICKET_INVALID', 'standard input is longer than tickets are')
  }
  // The whole line that `init --ticket` prints is as good as the ticket in it.
  const tickets = text.match(/\bcb1-[\w-]+/g) ?? text.split(/\s+/).filter(word => word !== '')
  if (tickets.length === 0) throw new CloudburstError('CB_TICKET_INVALID', 'there is no ticket on standard input')
  return tickets
}

function keyAndValue(label: string): [string, string] {
  const at = label.indexOf('=')
  if (at <= 0) throw new CloudburstError('CB_USAGE', `--label takes KEY=VALUE, not ${label}`, { command: 'init' })
  return [label.slice(0, at), label.slice(at + 1)]
}
