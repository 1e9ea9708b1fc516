/**
 * Mistakes that somebody could make, each as one changed piece of the product's text. The simulator has to catch every one;
 * what it does not catch, it does not test.
 */
import type { DiskTrouble } from '../world/disks.ts'

export interface Variant {
  /** What is wrong with it. */
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** Seeds among which one has to catch it; by default 40. */
  readonly seeds?: number
  /** With this hostile peer in every mesh. */
  readonly attack?: string
  /** With this trouble with whole disks. */
  readonly disks?: DiskTrouble
}

export const VARIANTS: readonly Variant[] = [
  {
    name: 'nothing is synced',
    file: 'src/node/store/store.ts',
    from: 'await database.batch(ops, { sync })',
    to: 'await database.batch(ops, { sync: false })'
  },
  {
    name: 'a failed write is acknowledged',
    file: 'src/node/store/store.ts',
    from: "enter('degraded')\n      recovery = recover()\n      throw refused",
    to: "enter('degraded')\n      recovery = recover()\n      void refused"
  },
  {
    name: 'what a failed write made is not looked for',
    file: 'src/node/store/journal.ts',
    from: "if (state === 'ready') void reread()",
    to: "if (state === 'never') void reread()"
  },
  {
    name: 'an order is sent before it is on disk',
    file: 'src/node/dispatch/dispatches.ts',
    from: 'await store.batch([...again, ...recordOps(record)], { sync: true })',
    to: 'await store.batch([...again, ...recordOps(record)], { sync: false })'
  },
  {
    name: 'a verdict that was not heard is taken for a refusal',
    file: 'src/node/dispatch/dispatch-task.ts',
    from: 'if (task.record.receipt === undefined && !task.unheard && late(parts, task)) {',
    to: 'if (task.record.receipt === undefined && late(parts, task)) {',
    seeds: 150
  },
  {
    name: 'following goes on one event too far',
    file: 'src/node/dispatch/dispatch-task.ts',
    from: 'const next = (await seqOf(parts, task)) + 1',
    to: 'const next = (await seqOf(parts, task)) + 2'
  },
  {
    name: 'a goal that was at work is not driven on after a restart',
    file: 'src/node/goals/runs.ts',
    from: 'for (const { id } of journal.runs()) resume(id)',
    to: 'void resume'
  },
  {
    name: 'a step that was begun is done again without looking',
    file: 'src/goals/pursuit/doing.ts',
    from: 'if (step.recover === undefined) return undefined',
    to: 'if (step.recover !== undefined) return undefined\n    if (step.recover === undefined) return undefined'
  },
  {
    name: 'a step that a crash cut off is done again without asking',
    file: 'src/goals/pursuit/doing.ts',
    from: "if (outcome.exit?.kind === 'not-started') return undefined",
    to: "if (outcome.exit?.kind === 'not-started' || outcome.exit?.kind === 'lost') return undefined"
  },
  {
    name: 'the runner is told of a step before the journal',
    file: 'src/goals/pursuit/doing.ts',
    from: 'const intent = this.#parts.pen.append(began, !WITHIN.has(step.kind))',
    to: 'const intent = Promise.resolve(this.#parts.pen.append(began, !WITHIN.has(step.kind))).catch(() => undefined).then(() => undefined) && Promise.resolve()',
    seeds: 120
  },
  {
    name: 'records are taken whatever is missing before them',
    file: 'src/protocols/state/origin.ts',
    from: "if (record.seq > state.seq + 1 && !record.snapshot) return 'gap'",
    to: '',
    attack: 'every other record left out'
  },
  {
    name: 'records of earlier boots are taken',
    file: 'src/protocols/state/origin.ts',
    from: "if (order < 0) return 'stale'",
    to: "if (order < 0) return record.snapshot ? 'applied' : 'stale'",
    attack: 'records of earlier boots'
  },
  {
    name: 'signatures are not checked',
    file: 'src/crypto/dsse.ts',
    from: 'if (!verify(signer, preAuthEncoding(payloadType, payload), signature))',
    to: 'if (!verify(signer, preAuthEncoding(payloadType, payload), signature) && payload.length < 0)',
    attack: 'a record of itself that says it is from somebody else'
  },
  {
    name: 'who signed is not compared with whose record it is',
    file: 'src/protocols/state/record.ts',
    from: 'if (record.origin !== signer)',
    to: "if (signer === '')",
    attack: 'a record in the name of somebody else'
  },
  {
    name: 'forks are not noticed by comparing heads',
    file: 'src/protocols/state/origin.ts',
    from: 'return same && head.print',
    to: 'return false && same && head.print',
    attack: 'one history for each'
  },
  {
    name: 'a goal is told to whoever asks',
    file: 'src/node/dispatch/executor.ts',
    from: '(summary.by.peer !== dispatcher && !(await journal.hasAccepted(dispatcher, id)))',
    to: "summary.goal === ''",
    attack: 'following the goals of others'
  },
  {
    name: 'an id that was taken is left for one that can be worked out',
    file: 'src/node/dispatch/locating.ts',
    from: "'again', {}, ours(id))",
    to: "'again', {}, ours('').slice(0, 0))",
    attack: 'taking the ids of sub-goals that are to come'
  },
  {
    name: 'a node that was told of a later life of itself does not live on behind it',
    file: 'src/protocols/state/replica.ts',
    from: 'own.begin(boot + 1, parts.freshNonce())\n    if (origins.get(parts.self) !== undefined) publish([], true)',
    to: '',
    disks: 'restored'
  },
  {
    name: 'a fork that was accepted is proved again by what proved it before',
    file: 'src/protocols/state/origins.ts',
    from: 'newOrigin({ origin, name, boot, nonce: LAST_NONCE })',
    to: "newOrigin({ origin, name, boot: 0, nonce: '' })",
    disks: 'forked'
  }
]
