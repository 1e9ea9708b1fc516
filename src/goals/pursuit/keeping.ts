/**
 * What of the work done before may be kept, and why not. A step that was done is done again exactly if something it read has
 * changed since it began, its text was edited, the post of its goal does not hold any more, or a person has said so.
 * Pursuing asks before it does a step; the preview of a repair asks the same without doing anything.
 */
import { isDeepStrictEqual } from 'node:util'
import { parsePath, showPath } from '../expression/path.ts'
import { toPlain } from '../expression/plain.ts'
import { holdsSealed } from '../expression/secrets.ts'
import type { Path } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Write } from './events.ts'
import { cut } from './brief.ts'
import type { Asked } from './call.ts'
import { changedNames, Freshness, qualify } from './freshness.ts'
import { type Again, type DatedWrite, dated, type Given, type History, type InstanceRecord, type StepRecord } from './history.ts'
import { Recall } from './recall.ts'
import type { Step } from './step.ts'
import type { Frame, Listed } from './walk.ts'

/**
 * keep: as it was · skip: a person has said that it need not be done · do: with the reason, if it was done before ·
 * failed: it was in doubt, and a person has said that it failed.
 */
export type Verdict =
  | { readonly verdict: 'keep'; readonly writes: readonly DatedWrite[] }
  | { readonly verdict: 'skip'; readonly because?: string }
  | { readonly verdict: 'do'; readonly again?: string }
  | { readonly verdict: 'failed'; readonly said: string }

/** What others write at any time, and what is known of machines. */
const OUTSIDE: ReadonlySet<string> = new Set(['agent', 'nodes', 'host', 'peer'])

export class Keeping {
  readonly #history: History
  readonly #recall: Recall
  readonly #fresh = new Freshness()
  /** Arguments that are not what they were when their goal was pursued before, by qualified path. */
  readonly #renewed = new Set<string>()
  /** Goals whose own steps are done again within this stretch. */
  readonly #again = new Map<string, Again>()

  constructor(history: History, recall = new Recall(history)) {
    this.#history = history
    this.#recall = recall
    for (const [path, seq] of history.rebound) this.#fresh.mark(path, seq)
    for (const [path, { seq }] of history.set) this.#fresh.mark(path, seq)
  }

  /**
   * Puts what people have set over the goal's variables and dates its arguments.
   * @returns what the journal says of the goal, if it was begun with the same arguments
   */
  begin(frame: Frame, args: Variables): InstanceRecord | undefined {
    const before = this.#history.instances.get(frame.instance)
    frame.again = this.#again.get(frame.instance) ?? before?.again
    this.#override(frame)
    if (this.#recall.hasBegun(frame.instance, args)) return before
    this.#recall.began(frame.instance, { arguments: args, call: frame.call }, frame.how)
    for (const name of Object.keys(args)) {
      const path = argument(frame, name)
      this.#fresh.mark(path, Math.max(before?.argumentsSince.get(name) ?? 0, this.#history.set.get(path)?.seq ?? 0))
    }
    if (before === undefined || !isDeepStrictEqual(before.arguments, args)) return undefined
    frame.wasReached = before.ended === 'completed' || before.ended === 'already-true'
    return before
  }

  /** From event `since` on, what was kept of the goal's own steps is not kept any more. */
  redo(instance: string, again: Again): void {
    this.#again.set(instance, again)
  }

  /** See {@link Hand.given}. */
  given(frame: Frame, instance: string, { variables, reads, call }: Asked): Variables {
    const before = this.#givenBefore(instance)
    if (before === undefined || before.call !== call) return variables
    const isAsItWas = (paths: readonly string[]): boolean =>
      (paths.length === 0 || paths.some(path => path.startsWith('agent.'))) && this.#isUnchanged(frame, paths, before.seq)
    const settled = Object.entries(variables).map(([name, value]) => {
      const was = before.arguments[name]
      return [name, was !== undefined && isAsItWas(reads[name] ?? []) ? was : value]
    })
    return Object.fromEntries(settled)
  }

  /** See {@link Hand.evaluated}. */
  evaluated(frame: Frame, path: string, { key, reads }: Pick<Listed, 'key' | 'reads'>): Tree | undefined {
    const before = this.#recall.wasEvaluated(path)
    return before?.key === key && this.#isUnchanged(frame, reads, before.seq) ? before.value : undefined
  }

  /** Whether a method of the goal was chosen and is not through yet, and nothing at `paths` has changed since, nor the program. */
  #isUnderWayAsChosen(frame: Frame, paths: readonly string[]): boolean {
    const record = this.#history.instances.get(frame.instance)
    if (record?.choice === undefined || record.ended === 'completed' || record.ended === 'already-true') return false
    return record.choice.seq > this.#history.edited && this.#isUnchanged(frame, paths, record.choice.seq)
  }

  /** See {@link Hand.wasMet}. */
  wasMet(frame: Frame, paths: readonly string[]): boolean {
    return this.#isUnderWayAsChosen(frame, paths)
  }

  /** See {@link Hand.wasPassedOver}. */
  wasPassedOver(frame: Frame, method: string, paths: readonly string[]): boolean {
    const candidates = this.#history.instances.get(frame.instance)?.choice?.candidates ?? []
    return candidates.some(each => each.method === method && each.verdict === 'rejected') && this.#isUnderWayAsChosen(frame, paths)
  }

  /** Whether nothing before this place in the program has changed what is at `paths` since event `seq`. */
  #isUnchanged(frame: Frame, paths: readonly string[], seq: number): boolean {
    const qualified = paths.map(path => qualify(frame.instance, path))
    return this.#fresh.changedSince(qualified, seq) === undefined
  }

  /** What a sub-goal was given when it was last asked for, here or elsewhere. */
  #givenBefore(instance: string): Given | undefined {
    const remote = this.#recall.record(instance)
    if (remote?.began.arguments !== undefined) {
      const { arguments: args, call } = remote.began
      return { arguments: args, call, seq: this.#recall.staleFrom(instance, remote) }
    }
    return this.#recall.begun(instance) ?? this.#history.instances.get(instance)
  }

  /** An edited program starts the goal with other values: they are as new as event `seq`. */
  rebound(instance: string, before: Variables, now: Variables, seq: number): void {
    for (const name of changedNames(before, now)) this.#fresh.mark(`${instance}:goal.${name}`, seq)
  }

  /** The goal began anew with event `seq`: arguments that are not what they were are as new as that. */
  began(frame: Frame, args: Variables, seq: number): void {
    const before = this.#history.instances.get(frame.instance)
    for (const name of changedNames(before?.arguments ?? {}, args)) {
      this.#fresh.mark(argument(frame, name), seq)
      this.#renewed.add(argument(frame, name))
    }
  }

  /** The post of a goal that was completed still holds: its results are what they were. */
  recall(frame: Frame): void {
    const record = this.#history.instances.get(frame.instance)
    if (record?.results === undefined) return
    for (const [name, value] of Object.entries(record.results)) {
      const set = this.#history.set.get(argument(frame, name))
      if (set !== undefined && set.seq > (record.resultsSince.get(name) ?? 0)) continue
      if (this.#renewed.has(argument(frame, name)) || frame.scope.misfit(['goal', name], value) !== undefined) continue
      frame.scope.write(['goal', name], value)
      this.#fresh.mark(argument(frame, name), Math.max(this.#fresh.changedAt(argument(frame, name)), record.resultsSince.get(name) ?? 0))
    }
  }

  /**
   * What is to be done about a step.
   * @param gone what it made and is there no more, e.g. a temporary file
   */
  judge(frame: Frame, step: Step, gone?: string): Verdict {
    const record = this.#recall.record(step.id)
    const decided = this.#history.decided.get(step.id)
    if (decided !== undefined && decided.seq > (record?.beganSeq ?? 0)) {
      if (decided.verdict === 'skip') return { verdict: 'skip' }
      if (decided.verdict === 'done') return { verdict: 'keep', writes: decided.writes.map(write => ({ ...write, since: decided.seq })) }
      if (decided.verdict === 'again') return { verdict: 'do', again: 'it was asked for' }
      if (decided.said !== undefined && record !== undefined && isInDoubt(record)) return { verdict: 'failed', said: decided.said }
    }
    if (record === undefined) return { verdict: 'do' }
    const stale = gone ?? this.#stale(frame, step, record)
    if (stale === undefined && isDone(record)) return { verdict: 'keep', writes: record.writes }
    return { verdict: 'do', ...(stale !== undefined && { again: stale }) }
  }

  /** Makes the results of a step that is kept visible to what follows. What a person has set since stays as the person set it. */
  keep(frame: Frame, step: Step, writes: readonly DatedWrite[]): void {
    for (const write of writes) {
      const path = qualify(frame.instance, write.path)
      const set = this.#history.set.get(path)
      const pinned = set !== undefined && set.seq > write.since ? set : undefined
      // The agent's variables have had it since it was written, and may have changed.
      if (!write.path.startsWith('agent.')) step.scope.write(outputOf(step, write.path), pinned?.value ?? write.value)
      this.#fresh.mark(path, pinned?.seq ?? write.since)
    }
  }

  /**
   * Makes the results of a step that was done with event `seq` visible.
   * @returns them dated: what it has written just like that before is as old as it was
   */
  done(frame: Frame, step: Step, writes: readonly Write[], seq: number): readonly DatedWrite[] {
    const all = dated(this.#recall.record(step.id)?.writes ?? [], writes, seq, this.#history.lastSet)
    for (const { path, value, since } of all) {
      step.scope.write(outputOf(step, path), value)
      this.#fresh.mark(qualify(frame.instance, path), since)
    }
    return all
  }

  /** A value has come back from a sub-goal: it is as new as it was there. What a person has set since stays as the person set it. */
  gaveBack(frame: Frame, to: Path, from: string): void {
    const path = qualify(frame.instance, showPath(to))
    const since = this.#fresh.changedAt(from)
    const set = this.#history.set.get(path)
    if (set !== undefined && set.seq > since) frame.scope.write(to, set.value)
    this.#fresh.mark(path, Math.max(since, set?.seq ?? 0))
  }

  /** In a preview: the step would be done again, and may write something else. */
  mayChange(frame: Frame, path: Path, seq: number): void {
    this.#fresh.mark(qualify(frame.instance, showPath(path)), seq)
  }

  #stale(frame: Frame, step: Step, record: StepRecord): string | undefined {
    if (frame.again !== undefined && record.beganSeq < frame.again.since) return frame.again.reason
    const { from } = this.#history
    if (from !== undefined && record.beganSeq < from.seq && record.beganSeq >= from.beganSeq)
      return `all from ${from.step} on was asked for`
    const misfit = misfitOf(step, record.writes)
    if (misfit !== undefined) return misfit
    if (record.began.key !== step.key) return 'its text was edited'
    const since = this.#recall.staleFrom(step.id, record)
    const changed = Object.entries(record.began.reads).find(([path, was]) => this.#hasChanged(frame, step, path, was, since))
    return changed === undefined ? undefined : `${changed[0]} has changed`
  }

  /**
   * Whether what the step read at `path` is another value now: because it was written after event `since`, or because what wrote it
   * then is not walked any more. The latter is told by the value alone, so only where the walk puts all values in place in one order.
   */
  #hasChanged(frame: Frame, step: Step, path: string, was: Tree, since: number): boolean {
    if (this.#fresh.changedAt(qualify(frame.instance, path)) > since) return !isAsRead(step, path, was)
    if (step.how?.parallel === true || OUTSIDE.has(String(parsePath(path)[0]))) return false
    const now = step.scope.read(parsePath(path))
    return !isDeepStrictEqual(toPlain(was), toPlain(now === undefined ? now : cut(now)))
  }

  #override(frame: Frame): void {
    const own = `${frame.instance}:goal.`
    for (const [path, { value }] of this.#history.set) {
      if (!path.startsWith(own)) continue
      const place = parsePath(path.slice(frame.instance.length + 1))
      // What it was a part of may be gone from an edited program.
      if (frame.scope.misfit(place, value) === undefined) frame.scope.write(place, value)
    }
  }
}

/** Why one of `writes` cannot be made visible, if one cannot. */
export function misfitOf(step: Step, writes: readonly Write[]): string | undefined {
  for (const { path, value } of writes) {
    const why = step.scope.misfit(outputOf(step, path), value)
    if (why !== undefined) return why
  }
  return undefined
}

/** Whether what was written since is what the step read before. Of a secret that was given anew nobody can tell. */
function isAsRead(step: Step, path: string, was: Tree): boolean {
  return !holdsSealed(was) && isDeepStrictEqual(step.scope.read(parsePath(path)), was)
}

/** As the program names it: a find symbol's item is not a path of the goal. */
export function outputOf(step: Step, path: string): Path {
  return step.outputs.find(each => showPath(each) === path) ?? parsePath(path)
}

/** Nobody knows how it ended. */
function isInDoubt({ ended }: StepRecord): boolean {
  return ended === undefined || ended.status === 'in-doubt'
}

export function isDone(record: StepRecord): boolean {
  return record.ended?.status === 'completed' || record.ended?.status === 'ignored'
}

function argument(frame: Frame, name: string): string {
  return `${frame.instance}:goal.${name}`
}
