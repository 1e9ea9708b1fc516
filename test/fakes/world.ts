import type { Clock, Fact, FactQuery, Messenger, Probe, Random, RemoteGoal, RemoteOutcome } from '../../src/goals/ports.ts'

/** A probe that knows what it is told: facts by the JSON of their query. */
export function fakeProbe(facts: ReadonlyMap<string, Fact> = new Map()): Probe {
  return { gather: async queries => queries.map(query => facts.get(JSON.stringify(query)) ?? nothing(query)) }
}

function nothing(query: FactQuery): Fact {
  switch (query.kind) {
    case 'file':
      return { kind: 'bool', value: false }
    case 'edited':
      return { kind: 'edited', edited: { problem: 'there is no file' } }
    case 'shell':
      return { kind: 'shell', code: 127, stdout: '' }
    case 'state':
      return { kind: 'tree', value: undefined }
    default:
      return { kind: 'text', value: undefined }
  }
}

/** A clock whose time passes only by sleeping: each sleep is over at once and moves it on. */
export function fakeClock(start = 0): Clock & { time: number } {
  const clock = {
    time: start,
    now: () => clock.time,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      clock.time += ms
    }
  }
  return clock
}

/** Ids `ID0001`, `ID0002`, …: the same in every run. */
export function fakeRandom(): Random {
  let last = 0
  return { id: () => `ID${String(++last).padStart(4, '0')}` }
}

/** Peers that answer as told; remembers what was asked. */
export function fakeMessenger(
  answer: (request: RemoteGoal) => RemoteOutcome = () => ({ kind: 'completed', results: {} })
): Messenger & { readonly asked: RemoteGoal[] } {
  const asked: RemoteGoal[] = []
  return {
    asked,
    dispatch: async request => {
      asked.push(request)
      return answer(request)
    }
  }
}
