/** Which nodes a command is for, and how many of them at a time. */
import type { DispatchRequest } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import { type Invocation, peersOf } from './arguments.ts'

/** Peers that the options name, as selectors: `--all`, `--where` and `--peer` together. */
export function peersNamed({ options }: Invocation): string[] {
  return [...(options.all ? ['*'] : []), ...(options.where ?? []), ...peersOf(options)]
}

/** @throws CloudburstError CB_USAGE when there are none */
export function somePeers(invocation: Invocation): string[] {
  const { command } = invocation
  const peers = peersNamed(invocation)
  if (peers.length === 0) throw new CloudburstError('CB_USAGE', `${command} needs --peer PEER, --where LABELS or --all`, { command })
  return peers
}

/** `--wait`, `--parallel` and `--max-failures`, as dispatch takes them. @throws CloudburstError CB_USAGE */
export function turns(invocation: Invocation): Pick<DispatchRequest, 'wait' | 'parallel' | 'failuresMax'> {
  const { command, options } = invocation
  const { wait, parallel } = options
  const failuresMax = amountOf('max-failures', invocation)
  return {
    ...(wait === true && { wait }),
    ...(parallel !== undefined && { parallel: atATime(parallel, command) }),
    ...(failuresMax !== undefined && { failuresMax })
  }
}

/** So many nodes, or of a hundred so many: `3` or `10%`. @throws CloudburstError CB_USAGE */
export function amountOf(
  name: 'max-failures' | 'max-unavailable',
  { command, options }: Invocation
): NonNullable<DispatchRequest['failuresMax']> | undefined {
  const given = options[name]
  if (given === undefined) return undefined
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(given) ?? []
  if (digits === undefined)
    throw new CloudburstError('CB_USAGE', `--${name} takes a number of nodes, or so many of a hundred: 3 or 10%`, { command })
  const count = Number(digits)
  return percent === '%' ? { percent: Math.min(count, 100) } : { count }
}

/** A number of steps or nodes. @throws CloudburstError CB_USAGE */
export function atATime(parallel: string, command: string): number {
  if (/^[1-9]\d{0,5}$/.test(parallel)) return Number(parallel)
  throw new CloudburstError('CB_USAGE', '--parallel takes a number from 1', { command })
}
