import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { placeText } from '../../goals/render/words.ts'
import type { Invocation } from '../arguments.ts'
import { showOne } from '../output.ts'
import { daemonOf, homeWords, onePeer, sessionWith } from '../session.ts'

/** Gives a program to a node: the files named and what they include, as one. */
export async function run(invocation: Invocation): Promise<number> {
  const files = [...invocation.files, ...invocation.words]
  if (files.length === 0) throw new CloudburstError('CB_USAGE', 'load needs a program file', { command: 'load' })
  const { agency, by } = sessionWith(daemonOf(invocation), onePeer(invocation), homeWords(invocation))
  const { readProgramFiles } = await import('../../node/programs/program-files.ts')
  const info = await agency.call('load', { files: readProgramFiles(files, invocation.io) }, by)
  for (const { place, message } of info.warnings) invocation.io.stderr.write(`warning: ${placeText(place)}: ${oneLine(message)}\n`)
  await showOne(invocation, info, info.hash, () => [
    `loaded ${oneLine(info.name)}@${info.hash.slice(0, 12)}: goals ${info.goals.map(goal => oneLine(goal)).join(' ') || '-'}, agents ${info.agents.map(agent => oneLine(agent)).join(' ') || '-'}`
  ])
  return 0
}
