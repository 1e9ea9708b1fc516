/** What a mutated copy of the code is asked: the first check that does not hold, or the first cell that is wrong. */
import '../../src/polyfill.ts'
import { effectLayers } from './effect-layers.ts'
import { layers } from './layers.ts'
import { signedLayers } from './signed-layers.ts'
import { describeCell, isWrong, matrix, type SubjectName, subjects } from './matrix.ts'

/** @param first the subject to be tried first @returns undefined when nothing is wrong */
export async function firstFault(first?: SubjectName): Promise<string | undefined> {
  try {
    for (const { name, holds } of [...layers, ...signedLayers, ...effectLayers]) if (!(await holds())) return name
    return await firstWrong(first)
  } catch (error) {
    return `it fell over: ${error}`
  }
}

async function firstWrong(first: SubjectName | undefined): Promise<string | undefined> {
  const order = first === undefined ? subjects : [first, ...subjects.filter(subject => subject !== first)]
  for await (const cell of matrix(order)) if (isWrong(cell)) return describeCell(cell)
  return undefined
}
