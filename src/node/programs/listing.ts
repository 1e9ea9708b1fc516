/**
 * The goals of program files as rows, remembered: a listing is a function of the files' texts, so that the same files are
 * read into a program once. What is remembered can be thrown away at any time.
 */
import type { GoalRow } from '../../goals/config/tabulator.ts'
import { readPrivate, readProgramFiles, type Surroundings } from './program-files.ts'
import { remembered } from './remembered.ts'

/** Most listings that are remembered, newest first: some MB at most. */
const LISTINGS_MAX = 64

export interface Listing {
  readonly rows: readonly GoalRow[]
  readonly warnings: readonly string[]
}

/**
 * @param names files as they were typed
 * @throws CloudburstError CB_PROGRAM_INVALID, CB_PROGRAM_UNKNOWN: what is wrong is never remembered
 */
export async function listing(
  names: readonly string[],
  around: Surroundings,
  { strict, locale }: { readonly strict: boolean; readonly locale?: string }
): Promise<Listing> {
  const files = readProgramFiles(names, around)
  const own = readPrivate(around)
  const kept = remembered('listings', [strict, locale, own, files], LISTINGS_MAX, around.env)
  const known = kept?.recall() as Listing | undefined
  if (known !== undefined) return known
  const [{ readProgram }, { tabulate }, { showPlace }] = await Promise.all([
    import('../../goals/program/read.ts'),
    import('../../goals/config/tabulator.ts'),
    import('../../goals/program/xml.ts')
  ])
  const program = readProgram(files, { before: own === undefined ? [] : [own.file], strict })
  const made: Listing = {
    rows: tabulate(program, locale),
    warnings: [
      ...(own?.warning === undefined ? [] : [own.warning]),
      ...program.warnings.map(warning => `${showPlace(warning.place)}: ${warning.message}`)
    ]
  }
  kept?.remember(made)
  return made
}
