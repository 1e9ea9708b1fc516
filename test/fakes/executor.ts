import assert from 'node:assert/strict'
import type { GoalEvent, GoalEventBody } from '../../src/goals/pursuit/events.ts'
import type { Acceptance, DispatchRequest, Executor } from '../../src/protocols/dispatch/executor.ts'

const place = { file: 'site.xml', line: 1, col: 1 }

/** The events of a goal with one step, as one journal would hold them. */
export function eventsOf(goalId: string, request: DispatchRequest, peer: string): GoalEvent[] {
  const bodies: GoalEventBody[] = [
    {
      type: 'proposed',
      version: 1,
      goal: request.goal,
      program: request.program,
      mode: 'pursue',
      assignments: request.assignments,
      by: { peer, node: 'caller' },
      chain: []
    },
    { type: 'started', stretch: 1, cause: 'first' },
    { type: 'step-began', step: 's1', instance: 'i1', attempt: 1, kind: 'send', key: 'k', show: 'true', place, reads: {} },
    { type: 'step-ended', step: 's1', attempt: 1, status: 'completed', exit: { kind: 'exited', code: 0 }, durationMs: 1.5, writes: [] },
    { type: 'completed', outcome: 'completed', results: { site: { value: 'blue' } } }
  ]
  return bodies.map((body, at) => ({ goalId, seq: at + 1, at: 1_000 + at, body }))
}

/** A node that accepts goals into memory; the test decides when their events happen. */
export function fakeExecutor(peer: string, programs: Set<string>, options: { seal?: Executor['seal']; now?: () => number } = {}) {
  const acceptedBy = new Map<string, Acceptance>()
  const journal = new Map<string, GoalEvent[]>()
  const listeners = new Map<string, Set<(event: GoalEvent) => void>>()
  const fake = {
    peer,
    accepts: [] as string[],
    loads: 0,
    /** Called after each acceptance, to let events happen. */
    onAccept: (_request: DispatchRequest): void => undefined,
    journal,
    happen(event: GoalEvent) {
      journal.set(event.goalId, [...(journal.get(event.goalId) ?? []), event])
      for (const listener of listeners.get(event.goalId) ?? []) listener(event)
    },
    forget() {
      acceptedBy.clear()
      journal.clear()
    },
    holds: async (hash: string) => programs.has(hash),
    async load(files: readonly { text: string }[]) {
      fake.loads++
      const hash = files[0]!.text
      programs.add(hash)
      return hash
    },
    async accept(request: DispatchRequest, by: { peer: string }) {
      const key = `${by.peer}!${request.id}`
      assert.equal(acceptedBy.has(key), false, 'accepted a second time')
      fake.accepts.push(key)
      const acceptance = { goal: request.goal, program: request.program.hash, acceptedAt: fake.now() }
      acceptedBy.set(key, acceptance)
      fake.onAccept(request)
      return acceptance
    },
    find: async (id: string, dispatcher: string) => {
      const acceptance = acceptedBy.get(`${dispatcher}!${id}`)
      return acceptance && { ...acceptance, seq: journal.get(id)?.length ?? 0 }
    },
    fenced: [] as string[],
    async fence(id: string) {
      fake.fenced.push(id)
    },
    events: {
      read: async (goalId: string, from: number) => (journal.get(goalId) ?? []).filter(event => event.seq >= from),
      subscribe(goalId: string, listener: (event: GoalEvent) => void) {
        const all = listeners.get(goalId) ?? new Set()
        listeners.set(goalId, all.add(listener))
        return () => void all.delete(listener)
      }
    },
    seal: options.seal ?? ((_type: string, payload: Uint8Array) => payload),
    now: options.now ?? (() => Date.now())
  }
  return fake satisfies Executor
}
