/** A sub-goal on another node: one step here, a run of its own there. Source: docs/language.md, `peer=` and `where=`. */
import { createHash } from 'node:crypto'
import { interpolate } from '../expression/interpolate.ts'
import { holdsSealed, withoutSealed } from '../expression/secrets.ts'
import type { Clock } from '../ports.ts'
import type { GoalCall, StatementBase } from '../program/model.ts'
import type { Variables } from '../tree.ts'
import { type Here, inOut, written } from './call.ts'
import type { Prepared, Step } from './step.ts'

/** Crockford's base 32, as ULIDs use it. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The step that dispatches `call` with `args`; asking twice for the same sub-goal of the same root run is one run. */
export function remoteStep(
  here: Here,
  call: GoalCall,
  id: string,
  args: Variables,
  resultName?: string
): Step<Prepared & { readonly peer: string }> {
  const { frame, scope } = here
  const { run } = frame
  const statement: StatementBase = { key: id, describe: [], onFail: 'stop', retries: 0, backoffS: 0, idempotent: true, place: call.place }
  const root = run.chain[0]?.split(':')[0] ?? run.id
  return {
    id,
    kind: 'remote',
    statement,
    key: JSON.stringify(args),
    given: { arguments: args, call: written(call) },
    scope,
    outputs: [...call.arguments.map(inOut).filter(path => path !== undefined), ...(resultName === undefined ? [] : [['goal', resultName]])],
    prepare() {
      const peer = interpolate(call.peer ?? [{ kind: 'text', text: call.where ?? '', place: call.place }], scope, 'text')
      return {
        show: `${call.goal} on ${peer.show}`,
        reads: peer.reads,
        wanted: peer.wanted,
        unknown: peer.unknown,
        errors: peer.errors,
        run: subRunId(root, call.goal, args, peer.text),
        peer: peer.text
      }
    },
    async perform(world, prepared, { until, round = 0 }) {
      const request = {
        id: subRunId(root, call.goal, args, prepared.peer, round),
        peer: prepared.peer,
        program: run.program.hash,
        goal: call.goal,
        arguments: args,
        chain: [...run.chain, `${run.id}:${run.goal}`]
      }
      const outcome = await within(world.clock, until, signal => world.messenger.dispatch(request, signal))
      if (outcome === undefined) return { status: 'failed', writes: [], reason: `${call.goal} on ${prepared.peer} took too long` }
      if (outcome.kind === 'failed') return { status: 'failed', writes: [], reason: `${call.goal} on ${prepared.peer}: ${outcome.message}` }
      const back = call.arguments.flatMap(each => {
        const source = inOut(each)
        // a secret of that node means nothing here, and must not be looked up here
        const value = outcome.results[each.name]
        return source !== undefined && value !== undefined && !holdsSealed(value) ? [{ path: scope.place(source), value }] : []
      })
      const named = resultName === undefined ? [] : [{ path: ['goal', resultName], value: withoutSealed({ fields: outcome.results }) }]
      return { status: 'completed', writes: [...back, ...named] }
    }
  }
}

/** What `ask` answers, or undefined when it has not until then: the goal there is cancelled. */
async function within<T>(clock: Clock, until: number | undefined, ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const asking = new AbortController()
  const answered = ask(asking.signal)
  if (until === undefined) return await answered
  const resting = new AbortController()
  const over = clock.sleep(Math.max(0, until - clock.now()), resting.signal).then(
    () => true,
    () => false
  )
  const first = await Promise.race([answered.then(value => ({ value })), over.then(late => (late ? undefined : ({} as const)))])
  resting.abort()
  if (first !== undefined) return await answered
  asking.abort()
  await answered.catch(() => undefined)
  return undefined
}

/** A ULID-shaped id that only this sub-goal of this root run has; `round` counts the times it was cancelled since it took too long. */
export function subRunId(root: string, goal: string, args: Variables, peer: string, round = 0): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([root, goal, Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1)), peer, ...(round > 0 ? [round] : [])]))
    .digest()
  let text = root.slice(0, 10)
  for (let i = 0; text.length < 26; i++) text += DIGITS[(digest[i] ?? 0) % 32]
  return text
}
