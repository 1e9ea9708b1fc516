/** A sub-goal on another node: one step here, a run of its own there. Source: docs/language.md, `peer=` and `where=`. */
import { createHash } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'
import { interpolate } from '../expression/interpolate.ts'
import { holdsSealed, withoutSealed } from '../expression/secrets.ts'
import type { Clock, RemoteGoal } from '../ports.ts'
import type { GoalCall, StatementBase } from '../program/model.ts'
import type { Variables } from '../tree.ts'
import { type Here, inOut, written } from './call.ts'
import type { Performed, Prepared, Step, Try } from './step.ts'
import type { Run } from './walk.ts'

/** Crockford's base 32, as ULIDs use it. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

type Sent = Prepared & { readonly peer: string; readonly run: string }

/** The step that dispatches `call` with `args`; asking twice for the same sub-goal of the same root run is one run. */
export function remoteStep(here: Here, call: GoalCall, id: string, args: Variables, resultName?: string): Step<Sent> {
  const { frame, scope } = here
  const { run } = frame
  const statement: StatementBase = { key: id, describe: [], onFail: 'stop', retries: 0, backoffS: 0, idempotent: true, place: call.place }
  const isAnother = call.again || here.how?.again === true
  const runOn = (node: string, { group = 0, round = 0, spent = [] }: Partial<Try>): string => {
    const more = round > 0 ? [round] : []
    const common = subRunId(rootOf(run), call.goal, args, node, more)
    // What was done, for this step or for others, is not what is asked for.
    return isAnother || spent.includes(common) ? subRunId(rootOf(run), call.goal, args, node, [...more, run.id, id, group]) : common
  }
  const request = (prepared: Sent): RemoteGoal => ({
    id: prepared.run,
    peer: prepared.peer,
    program: run.program.hash,
    goal: call.goal,
    arguments: args,
    chain: [...run.chain, `${run.id}:${run.goal}`],
    ...(prepared.node !== undefined && { node: prepared.node })
  })
  return {
    id,
    kind: 'remote',
    statement,
    key: JSON.stringify(args),
    given: { arguments: args, call: written(call) },
    scope,
    outputs: [...call.arguments.map(inOut).filter(path => path !== undefined), ...(resultName === undefined ? [] : [['goal', resultName]])],
    prepare() {
      const { text, show, ...peer } = interpolate(call.peer ?? [{ kind: 'text', text: call.where ?? '', place: call.place }], scope, 'text')
      const { reads, wanted, unknown, errors } = peer
      return { show: `${call.goal} on ${show}`, reads, wanted, unknown, errors, run: runOn(text, {}), peer: text }
    },
    async locate(world, prepared, attempt) {
      const asked = { ...prepared, run: runOn(prepared.peer, attempt) }
      try {
        const found = await world.messenger.locate?.(request(asked), node => runOn(node, attempt), attempt.anew === true)
        return found === undefined ? asked : { ...asked, run: found.id, node: found.node }
      } catch (error) {
        // No node is like that: whoever sends it will say so.
        if (error instanceof CloudburstError && error.code !== 'CB_STORE_DEGRADED') return asked
        throw error
      }
    },
    async perform(world, prepared, { until }): Promise<Performed> {
      const outcome = await within(world.clock, until, signal => world.messenger.dispatch(request(prepared), signal))
      const failed = (reason: string): Performed => ({ status: 'failed', writes: [], reason: `${call.goal} on ${prepared.peer}${reason}` })
      if (outcome === undefined) return failed(' took too long')
      if (outcome.kind === 'left') return { status: 'stopped', writes: [], reason: 'the goal that needs it was given up' }
      if (outcome.kind === 'failed') return failed(`: ${outcome.message}`)
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

/** Id of the run that was asked for by a person. */
export function rootOf({ id, chain }: Pick<Run, 'id' | 'chain'>): string {
  return chain[0]?.split(':')[0] ?? id
}

/**
 * A ULID-shaped id that only this sub-goal of this root run has.
 * @param more what makes it another than the same goal asked for elsewhere: how often it was cancelled since it took too long
 */
export function subRunId(root: string, goal: string, args: Variables, peer: string, more: readonly (string | number)[] = []): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([root, goal, Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1)), peer, ...more]))
    .digest()
  let text = root.slice(0, 10)
  for (let i = 0; text.length < 26; i++) text += DIGITS[(digest[i] ?? 0) % 32]
  return text
}
