/** Serf agents on loopback, one process each: gossip as HashiCorp's clusters have it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { ours } from './leftovers.ts'
import { freePorts, until } from './nodes.ts'

const SERF = '/usr/bin/serf'

/** Why Serf cannot be measured; undefined when it can. */
export function whyNoSerf(): string | undefined {
  return existsSync(SERF) ? undefined : 'serf is not installed'
}

/** Agents that are all members of one cluster. */
export interface Cluster {
  /** Milliseconds from the request to agent `from` until every agent has told of the event. */
  tell(from: number, payload: string): Promise<number>
  stop(): Promise<void>
}

/** @param profile timing of gossip: `lan` is Serf's default */
export async function startSerf(count: number, profile = 'lan'): Promise<Cluster> {
  const ports = await freePorts(count * 2)
  const agents: { readonly child: ChildProcess; readonly rpc: number }[] = []
  const listeners: Rpc[] = []
  const stop = async (): Promise<void> => {
    for (const rpc of listeners) rpc.socket.destroy()
    await Promise.all(
      agents.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGKILL')
        await once(child, 'exit')
      })
    )
  }
  try {
    for (let at = 0; at < count; at++) {
      const [gossip, rpc] = [ports[at * 2]!, ports[at * 2 + 1]!]
      const words = ['agent', `-node=s${at + 1}`, `-bind=127.0.0.1:${gossip}`, `-rpc-addr=127.0.0.1:${rpc}`, `-profile=${profile}`]
      const join = at === 0 ? [] : [`-retry-join=127.0.0.1:${ports[0]}`]
      agents.push({ child: ours(spawn(SERF, [...words, ...join, '-log-level=err'], { stdio: 'ignore' })), rpc })
    }
    for (const { rpc } of agents) listeners.push(await open(rpc))
    await until(`${count} agents know one another`, async () => {
      for (const rpc of listeners) if ((await rpc.ask('members')).toString('latin1').split('alive').length - 1 < count) return false
      return true
    })
    for (const rpc of listeners) await rpc.ask('stream', { Type: '*' })
    return {
      stop,
      tell: async (from, payload) => {
        const seen = Promise.all(listeners.map(rpc => rpc.hears(payload)))
        const began = performance.now()
        await listeners[from]!.ask('event', { Name: 'tick', Payload: payload, Coalesce: false })
        await seen
        return performance.now() - began
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Rpc {
  readonly socket: Socket
  /** @returns what came back, as it is: enough to look for a text in it */
  ask(command: string, body?: Readonly<Record<string, string | number | boolean>>): Promise<Buffer>
  /** Resolves when `text` is told by the agent. */
  hears(text: string): Promise<void>
}

/** One connection to an agent's RPC. Source: the IPC protocol of Serf, version 1 */
async function open(port: number): Promise<Rpc> {
  let socket!: Socket
  await until(`an agent listens on port ${port}`, async () => {
    socket = connect({ host: '127.0.0.1', port, noDelay: true })
    return await once(socket, 'connect').then(
      () => true,
      () => false
    )
  })
  const waiting = new Set<(chunk: Buffer) => void>()
  socket.on('data', (chunk: Buffer) => {
    for (const look of [...waiting]) look(chunk)
  })
  /** Resolves with all that comes from now on, up to and with `what`. */
  const appears = (what: Buffer): Promise<Buffer> =>
    new Promise(resolve => {
      let told = Buffer.alloc(0)
      const look = (chunk: Buffer): void => {
        told = Buffer.concat([told, chunk])
        if (!told.includes(what)) return
        waiting.delete(look)
        resolve(told)
      }
      waiting.add(look)
    })
  let last = 0
  const ask: Rpc['ask'] = async (command, body) => {
    const Seq = ++last % 100
    // Numbers below 128 are one byte; whoever asked waits for the answer before asking again.
    const answered = appears(Buffer.concat([packedText('Seq'), Buffer.of(Seq)]))
    socket.write(Buffer.concat([packed({ Command: command, Seq }), ...(body === undefined ? [] : [packed(body)])]))
    return await answered
  }
  await ask('handshake', { Version: 1 })
  return { socket, ask, hears: async text => void (await appears(Buffer.from(text))) }
}

/** A map of short texts, numbers below 128 and truth values. Source: the MessagePack specification */
function packed(map: Readonly<Record<string, string | number | boolean>>): Buffer {
  const entries = Object.entries(map)
  const values = entries.flatMap(([name, value]) => [
    packedText(name),
    typeof value === 'string' ? packedText(value) : Buffer.of(typeof value === 'number' ? value : value ? 0xc3 : 0xc2)
  ])
  return Buffer.concat([Buffer.of(0x80 | entries.length), ...values])
}

function packedText(text: string): Buffer {
  return Buffer.concat([Buffer.of(0xa0 | text.length), Buffer.from(text)])
}
