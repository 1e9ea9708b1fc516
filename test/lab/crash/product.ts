/** The goal of the crash lab: a product of three nodes, whose every step leaves a line each time it runs. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const step = (name: string, work: string): string =>
  `<shell shell="/bin/sh"><send name="${name}">cd <get quote="shell">goal.place</get> || exit 1
echo <get>peer.name</get>:${name} &gt;&gt; ran
sleep <get>goal.pause</get>
${work}</send></shell>`

/** Two steps each on n2 and n3, before and after them one on n1. Each needs what the ones before it have left. */
export const PRODUCT = `<?xml version="1.0" encoding="UTF-8"?>
<cloudburst name="crash-lab">
  <goalProto name="part">
    <variable name="place" type="string"/>
    <variable name="pause" type="string"/>
    <pre><defined><get>goal.place</get></defined></pre>
    <method name="made">
      ${step('fetch', 'cp plan got-<get>peer.name</get>')}
      ${step('make', 'sed s/plan/part/ got-<get>peer.name</get> &gt; part-<get>peer.name</get>')}
    </method>
  </goalProto>
  <goalProto name="product">
    <variable name="place" type="string"/>
    <variable name="pause" type="string">0</variable>
    <pre><defined><get>goal.place</get></defined></pre>
    <method name="assembled">
      ${step('plan', 'echo plan &gt; plan')}
      <part peer="n2"><variable name="place"><string><get>goal.place</get></string></variable><variable name="pause"><string><get>goal.pause</get></string></variable></part>
      <part peer="n3"><variable name="place"><string><get>goal.place</get></string></variable><variable name="pause"><string><get>goal.pause</get></string></variable></part>
      ${step('assemble', 'cat part-n2 part-n3 &gt; product')}
    </method>
  </goalProto>
</cloudburst>
`

/** The steps in the order in which they run. */
export const STEPS = ['n1:plan', 'n2:fetch', 'n2:make', 'n3:fetch', 'n3:make', 'n1:assemble'] as const

/** What one goal has left on disk. */
export interface Traces {
  readonly place: string
  /** Steps that ran, each as often as it did. */
  ran(): readonly string[]
  product(): string | undefined
}

export const FINISHED = 'part\npart\n'

export function makePlace(directory: string, name: string): Traces {
  const place = join(directory, name)
  mkdirSync(place, { recursive: true })
  const read = (file: string): string | undefined => (existsSync(join(place, file)) ? readFileSync(join(place, file), 'utf8') : undefined)
  return { place, ran: () => (read('ran') ?? '').split('\n').slice(0, -1), product: () => read('product') }
}
