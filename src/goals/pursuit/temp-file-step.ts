/** `<tempFile>`: text in a private file that lives as long as its goal. */
import { createHash } from 'node:crypto'
import { interpolate } from '../expression/interpolate.ts'
import type { Interpolated } from '../expression/result.ts'
import type { TempFileStatement } from '../program/model.ts'
import type { Here } from './call.ts'
import { described, joined, type Prepared, type Step } from './step.ts'

interface PreparedFile extends Prepared {
  readonly text: string
  readonly version: string | undefined
}

/**
 * `<tempFile>`: interpolated text in a private file, its path in `goal.<name>`. Another text is another path, so that what read
 * the file before is done again.
 */
export function tempFileStep(here: Here, statement: TempFileStatement, id: string): Step<PreparedFile> {
  const { scope } = here
  const name = statement.name ?? statement.key.slice(0, 8)
  return {
    id,
    kind: 'tempFile',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [['goal', name]],
    prepare() {
      const text = interpolate(statement.text, scope, 'text')
      return {
        ...joined([text]),
        show: `write temporary file ${name} (${text.show.length} characters)`,
        text: text.text,
        version: versionOf(text)
      }
    },
    async perform(world, prepared, attempt) {
      const path = await world.driver.writeFile(
        attempt.goalId,
        privateName(name, attempt.step, prepared.version ?? String(attempt.attempt)),
        prepared.text
      )
      return { status: 'completed', writes: [{ path: ['goal', name], value: { type: 'localFilePath', value: path } }] }
    },
    async gone(world, writes) {
      const path = writes.find(write => write.path === `goal.${name}`)?.value.value
      if (typeof path !== 'string') return undefined
      return (await world.driver.files.readText(path)).kind === 'absent' ? 'its file is gone' : undefined
    }
  }
}

/** A file's name that only this step has; a step may be called anything, so a hash stands for it. */
function privateName(name: string, step: string, version: string): string {
  return `f.${name.replace(/[^\w-]/g, '_').slice(0, 40)}.${createHash('sha256').update(step).digest('hex').slice(0, 16)}.${version}`
}

/** Tells texts apart; none of a text with a secret, which one could be guessed by. */
function versionOf({ text, show }: Interpolated): string | undefined {
  return text === show ? createHash('sha256').update(text).digest('hex').slice(0, 12) : undefined
}
