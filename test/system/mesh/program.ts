/** The program of the system tests: steps that leave a line each time they run, and wait for, or fail at, what the test says. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './process.ts'

/**
 * Three steps. `first` and `last` add a line to DIRECTORY/ran. `middle` does too, then waits for DIRECTORY/gate, or until DIRECTORY
 * is removed, and fails unless goal.word is "right".
 */
const WORK = `<?xml version="1.0" encoding="UTF-8"?>
<cloudburst name="work">
  <goalProto name="work">
    <describe>Work in <get>goal.directory</get></describe>
    <variable name="directory" type="string"/>
    <variable name="word" type="string">right</variable>
    <pre><defined><get>goal.directory</get></defined></pre>
    <method name="steps">
      <shell shell="/bin/sh">
        <send name="first">echo first &gt;&gt; <get quote="shell">goal.directory</get>/ran; echo first said</send>
      </shell>
      <shell shell="/bin/sh">
        <send name="middle" timeout="60">cd <get quote="shell">goal.directory</get> || exit 1
echo $PPID &gt; leader
echo middle &gt;&gt; ran
while [ -e ran ] &amp;&amp; [ ! -e gate ]; do sleep 0.05; done
echo middle said
[ <get as="env">goal.word</get> = right ] || { echo "the word is wrong" &gt;&amp;2; exit 4; }</send>
      </shell>
      <shell shell="/bin/sh">
        <send name="last">echo last &gt;&gt; <get quote="shell">goal.directory</get>/ran</send>
      </shell>
    </method>
  </goalProto>
</cloudburst>
`

/** One goal of that program, and what it left behind. */
export interface Work {
  /** Words of a goal command: program file, goal, directory. */
  readonly words: readonly string[]
  readonly file: string
  /** Steps in the order they ran, each as often as it ran. */
  ran(): readonly string[]
  /** Resolves once `middle` waits at the gate. */
  waits(): Promise<void>
  /** Lets `middle` go on. */
  open(): void
  /** Kills `middle` and the shell around it: nobody is left who could write down how it ended. */
  kill(): void
}

/** Files for one goal below `directory`; the gate is closed unless `open`. */
export function work(directory: string, name: string, { open = false } = {}): Work {
  const place = join(directory, name)
  const file = join(directory, 'work.xml')
  mkdirSync(place)
  writeFileSync(file, WORK)
  const made: Work = {
    words: ['work', '--program', file, `goal.directory=${place}`],
    file,
    ran: () => {
      const path = join(place, 'ran')
      return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
    },
    waits: async () => void (await until(`${name} waits at its gate`, () => made.ran().includes('middle'))),
    open: () => writeFileSync(join(place, 'gate'), ''),
    kill: () => void process.kill(-Number(readFileSync(join(place, 'leader'), 'utf8')), 'SIGKILL')
  }
  if (open) made.open()
  return made
}
