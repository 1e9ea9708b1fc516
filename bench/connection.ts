/** One open connection to a control socket. Nothing of the CLI, so that what is measured is the daemon. */
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Dispatched, GoalEvent } from '../src/node/control/contract.ts'

export interface Connection {
  /** @param path e.g. `local/peers` @returns the reply @throws Error with what the daemon said */
  post(path: string, body: unknown): Promise<unknown>
  /** Events of a goal until its outcome, in order. @throws Error when it comes to rest without one */
  events(id: string): Promise<GoalEvent[]>
  /** Dispatches a goal of the benchmark's program to one peer; resolves with its id when it was accepted. */
  dispatch(goal: string, peer: string): Promise<string>
  close(): void
}

/** Opens when first used, and stays open. */
export function connect(socketPath: string): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })

  const send = (path: string, body: unknown): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body)
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      httpRequest({ socketPath, path: `/api/v1/${path}`, method: 'POST', agent, headers }, resolve)
        .on('error', reject)
        .end(text)
    })
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await send(path, body)
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    if (response.statusCode !== 200) throw new Error(`${path}: ${text}`)
    return JSON.parse(text)
  }

  return {
    post,
    async events(id) {
      const response = await send('streams/events', { id, from: 1, follow: true })
      const events: GoalEvent[] = []
      let held = ''
      for await (const chunk of response.setEncoding('utf8')) {
        const lines = (held + String(chunk)).split('\n')
        held = lines.pop() ?? ''
        for (const line of lines) {
          const item = JSON.parse(line) as { type: string; event: GoalEvent }
          if (item.type === 'error') throw new Error(line)
          if (item.type === 'event') events.push(item.event)
        }
      }
      if (events.at(-1)?.body.type !== 'completed') throw new Error(`goal ${id} ended with ${JSON.stringify(events.at(-1)?.body)}`)
      return events
    },
    async dispatch(goal, peer) {
      const [sent] = (await post('local/dispatch', { goal, program: 'bench', assignments: [], peers: [peer] })) as readonly Dispatched[]
      if (sent === undefined || !('id' in sent)) throw new Error(`dispatch of ${goal} to ${peer}: ${JSON.stringify(sent)}`)
      return sent.id
    },
    close: () => agent.destroy()
  }
}
