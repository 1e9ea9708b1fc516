import { readProgram } from '../../../src/goals/program/read.ts'
import type { Program, SourceFile } from '../../../src/goals/program/model.ts'

/**
 * The goals of the simulation: one that works here, one that fails now and then, one that asks another node for a part of it
 * and one that asks two. `work <ms> <percent>` is understood by machine.ts.
 */
const XML = `<cloudburst name="sim">
  <goalProto name="short">
    <variable name="mark" type="string">none</variable>
    <method><shell><send name="only">work 30 0</send></shell>
      <update><set>goal.mark</set><get>goal.only.stdout</get></update></method>
  </goalProto>
  <goalProto name="long">
    <method><shell><send>work 400 0</send><send>work 900 0</send><send>work 200 0</send></shell></method>
  </goalProto>
  <goalProto name="frail">
    <method><shell><send>work 100 0</send><send>work 150 50</send><send>work 100 0</send></shell></method>
  </goalProto>
  <goalProto name="outer">
    <variable name="node" type="string">n1</variable>
    <method><shell><send>work 50 0</send></shell>
      <short peer="\${goal.node}"/>
      <shell><send>work 60 0</send></shell></method>
  </goalProto>
</cloudburst>`

export const FILES: readonly SourceFile[] = [{ name: 'sim.xml', text: XML }]
export const PROGRAM: Program = readProgram(FILES)
export const GOALS = ['short', 'long', 'frail', 'outer'] as const
