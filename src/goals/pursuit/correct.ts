/** `<correct>`: how the failure of a method is put right. Source: docs/language.md, "correct". */
import { interpolate } from '../expression/interpolate.ts'
import { showPath } from '../expression/path.ts'
import { maskSecrets } from '../expression/plain.ts'
import type { Correction, Method } from '../program/model.ts'
import { UNHELPED_MAX } from './circuits.ts'
import type { Failure, Walked } from './failure.ts'
import { Names } from './instance.ts'
import { forgetFailures } from './persist.ts'
import { walkStatements } from './statements.ts'
import type { Frame } from './walk.ts'

/** The corrections of a method, then those of its goal. */
export function correctionsOf(frame: Frame, method: Method): readonly Correction[] {
  return [...(method.correct ?? []), ...(frame.proto.correct ?? [])]
}

/** Walks a method; after each failure an automatic correction and the method again, while there are any left. */
export async function correcting(frame: Frame, method: Method, walk: () => Promise<Walked>): Promise<Walked> {
  const all = correctionsOf(frame, method)
  const automatic = all.flatMap(each => (each.mode === 'auto' ? Array.from({ length: each.limit }, () => each) : []))
  let walked = await walk()
  if (automatic.length === 0 || walked.ok || walked.failure.final)
    return walked.ok ? walked : { ok: false, failure: helped(frame, all, walked.failure) }
  const { world, program } = frame.run
  const key = `${program.name}/${frame.proto.name}/${method.name}`
  if (world?.circuits?.isOpen(key, world.clock.now()) === true) return { ok: false, failure: helped(frame, all, untried(walked.failure)) }
  for (const [at, correction] of automatic.entries()) {
    if (walked.ok || walked.failure.final || frame.run.mode === 'plan') break
    frame.run.hand.reopen(frame.instance)
    forgetFailures(frame.run)
    const fixed = await walkStatements(
      { frame, scope: frame.scope, path: `${frame.instance}/${method.name}/correct[${at + 1}]`, names: new Names() },
      correction.body
    )
    if (!fixed.ok && !fixed.failure.final) world?.circuits?.ended(key, false, world.clock.now())
    if (!fixed.ok) return { ok: false, failure: afterFailedCorrection(walked.failure, fixed.failure) }
    walked = await walk()
  }
  if (walked.ok || !walked.failure.final) world?.circuits?.ended(key, walked.ok, world.clock.now())
  return walked.ok ? walked : { ok: false, failure: helped(frame, all, walked.failure) }
}

/** The failure of a method whose correction has not helped other goals. */
function untried(failure: Failure): Failure {
  return { ...failure, reason: `${failure.reason}; its correction is not tried: it has not helped the last ${UNHELPED_MAX} goals` }
}

function afterFailedCorrection(first: Failure, second: Failure): Failure {
  if (second.final) return second
  return { ...first, reason: `${first.reason}; its correction failed too: ${second.reason}` }
}

/** The failure with what the program says a person is to do about it. */
function helped(frame: Frame, corrections: readonly Correction[], failure: Failure): Failure {
  const manual = corrections.filter(each => each.mode === 'manual')
  if (manual.length === 0 || failure.help !== undefined || failure.code === 'stepping' || failure.code === 'requested') return failure
  const texts = manual.map(each => interpolate(each.instructions, frame.scope, 'text').show.trim()).filter(text => text !== '')
  const asked = manual.flatMap(each => each.ask).map(path => [showPath(path), maskSecrets(frame.scope.read(path) ?? {})] as const)
  return { ...failure, help: { instance: frame.instance, instructions: texts.join('\n'), values: Object.fromEntries(asked) } }
}
