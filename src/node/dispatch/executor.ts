/** The executor's side of dispatch, made of this node's parts: what protocols/dispatch/server.ts asks of a node. */
import type { Identity } from '../../crypto/identity.ts'
import { seal } from '../../crypto/dsse.ts'
import type { Acceptance, Executor } from '../../protocols/dispatch/executor.ts'
import type { Subject } from '../../protocols/agency/server.ts'
import { feed, output, type OutputSource } from '../goals/feed.ts'
import type { Programs } from '../programs/programs.ts'
import type { Runs } from '../goals/runs.ts'
import type { NodeJournal } from '../store/journal.ts'

export interface ExecutorParts {
  readonly identity: Identity
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly runs: Runs
  readonly output: OutputSource
  /** What a goal needs besides goal:dispatch. */
  readonly subject: (request: { readonly program: string; readonly goal: string }) => Promise<Subject>
  readonly now: () => number
}

/** The executor of this node. */
export function makeExecutor({ identity, journal, programs, runs, output: source, subject, now }: ExecutorParts): Executor {
  const find = async (id: string, dispatcher: string): Promise<Acceptance | undefined> => {
    const summary = await journal.summary(id)
    if (summary === undefined || (summary.by.peer !== dispatcher && !(await journal.hasAccepted(dispatcher, id)))) return undefined
    return { goal: summary.goal, program: summary.program.hash, acceptedAt: summary.createdAt, seq: summary.seq }
  }
  return {
    peer: identity.peer,
    holds: async hash => (await programs.withHash(hash)) !== undefined,
    load: async files => (await programs.load(files)).hash,
    accept: async (request, by) => {
      const { id, goal, program, agent, mode, assignments, chain, acceptBefore, locale, stepwise, sshReuse, undoes } = request
      const proposal = { id, goal, program: program.hash, ...(agent !== undefined && { agent }), mode, assignments, chain, acceptBefore }
      const asked = { ...(stepwise !== undefined && { stepwise }), ...(sshReuse !== undefined && { sshReuse }) }
      const told = { ...(locale !== undefined && { locale }), ...(undoes !== undefined && { takesBack: undoes }), ...asked }
      await runs.accept({ ...proposal, ...told, by, caller: by.peer })
      const accepted = await find(id, by.peer)
      if (accepted === undefined) throw new Error(`goal ${id} was accepted and is not there`)
      return accepted
    },
    find,
    fence: async (id, by, why) => {
      // One who joined a run of another cannot end it for that one.
      if ((await journal.summary(id))?.by.peer === by.peer) await runs.fence(id, by, why)
    },
    subject: ({ program, goal }) => subject({ program: program.hash, goal }),
    events: { read: journal.readDurable, subscribe: journal.subscribe },
    output: (id, have, until) => output(feed(journal, source, { id, output: true, follow: 'always', have }, until)),
    seal: (type, payload) => seal(identity, type, payload),
    now
  }
}
