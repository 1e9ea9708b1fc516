import { adHoc } from './ad-hoc.ts'
import { artifact } from './artifact.ts'
import { daemon } from './daemon.ts'
import { delivery } from './delivery.ts'
import { dispatchCli } from './dispatch-cli.ts'
import { dispatchSocket } from './dispatch-socket.ts'
import { fanOut } from './fan-out.ts'
import { frames } from './frames.ts'
import { idle } from './idle.ts'
import { flow } from './flow.ts'
import { language, list } from './language.ts'
import { many } from './many.ts'
import { repair } from './repair.ts'
import { partition } from './partition.ts'
import { past } from './past.ts'
import { plan } from './plan.ts'
import type { Measured } from './result.ts'
import { revocation } from './revocation.ts'
import { start } from './start.ts'
import { steps } from './steps.ts'
import { trust } from './trust.ts'
import { updates } from './updates.ts'

/** All benchmarks by name, most telling first: the order of the table in README.md. */
export const benchmarks: Readonly<Record<string, () => Promise<Measured>>> = {
  'dispatch-cli': dispatchCli,
  'dispatch-socket': dispatchSocket,
  'ad-hoc': adHoc,
  'fan-out': fanOut,
  steps,
  repair: () => repair(),
  frames,
  artifact,
  flow,
  many,
  updates,
  partition,
  start,
  daemon,
  past,
  delivery,
  idle,
  list,
  language,
  plan,
  trust,
  revocation
}
