/** One check of the code broken at a time. Each has to be noticed: see ./mutations.test.ts */
import type { SubjectName } from './matrix.ts'

export interface Mutation {
  readonly what: string
  /** Below src/. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Who notices it soonest. */
  readonly by?: SubjectName
}

export const mutations: readonly Mutation[] = [
  {
    what: 'decide: expired permits count',
    file: 'node/permissions/decide.ts',
    find: "bound.filter((_, at) => states[at] === 'holds')",
    replace: 'bound'
  },
  {
    what: 'decide: every permit has every capability',
    file: 'node/permissions/decide.ts',
    find: 'alive.filter(right => right.bounds.every(({ capabilities }) => capabilities.includes(capability)))',
    replace: 'alive'
  },
  {
    what: 'decide: bounds are not looked at',
    file: 'node/permissions/decide.ts',
    find: 'able.find(({ bounds }) => bounds.every(each => covers(each, capability, what, trusted.here)))',
    replace: 'able[0]'
  },
  {
    what: 'covers: programs are not looked at',
    file: 'node/permissions/covers.ts',
    find: 'within(bounds.programs, program, ON_PROGRAMS.has(capability)) &&',
    replace: ''
  },
  {
    what: 'covers: goals are not looked at',
    file: 'node/permissions/covers.ts',
    find: 'within(bounds.goals, what.goal === undefined ? [] : [what.goal], ON_GOALS.has(capability)) &&',
    replace: ''
  },
  {
    what: 'covers: variables are not looked at',
    file: 'node/permissions/covers.ts',
    find: 'withinAll(bounds.vars, what.vars, ON_VARIABLES.has(capability)) &&',
    replace: ''
  },
  {
    what: 'covers: what is not named is within',
    file: 'node/permissions/covers.ts',
    find: 'return asked.length === 0 ? !needed : asked.some(word => allowed.includes(word))',
    replace: 'return asked.length === 0 || asked.some(word => allowed.includes(word))'
  },
  {
    what: 'covers: variables that are not named are within',
    file: 'node/permissions/covers.ts',
    find: 'return asked === undefined ? !needed : asked.every(',
    replace: 'return asked === undefined || asked.every('
  },
  {
    what: 'covers: one variable of several is enough',
    file: 'node/permissions/covers.ts',
    find: 'return asked === undefined ? !needed : asked.every(',
    replace: 'return asked === undefined ? !needed : asked.some('
  },
  {
    what: 'rights: those of other keys count',
    file: 'node/permissions/rights.ts',
    find: 'index.byPeer.get(peer) ?? []',
    replace: '[...index.byPeer.values()].flat()'
  },
  {
    what: 'rights: the lifetime of a permit is not looked at',
    file: 'node/permissions/rights.ts',
    find: ' || !lifetimes.every(lifetime => lifetimeHolds(lifetime, since, now))',
    replace: ''
  },
  {
    what: 'permitsOf: expired permits count at the door',
    file: 'node/permissions/decide.ts',
    find: "return boundTo(trusted, who).filter(right => holding(trusted, right, who.since, now) === 'holds')",
    replace: 'return boundTo(trusted, who)'
  },
  {
    what: 'lifetime: no end',
    file: 'node/permissions/lifetime.ts',
    find: 'now < endOf(lifetime, since) && ',
    replace: ''
  },
  {
    what: 'admission: strangers come in without an invitation',
    file: 'node/mesh/admission.ts',
    find: 'this.#options.invited() && ',
    replace: ''
  },
  {
    what: 'admission: keys of small order come in',
    file: 'node/mesh/admission.ts',
    find: 'if (!isPeerId(id)) return true\n',
    replace: '\n'
  },
  {
    what: 'sessions: one begins without a permit',
    file: 'node/mesh/sessions.ts',
    find: "if (permits.length === 0) throw this.deny(peer, 'no permit holds for it')",
    replace: ''
  },
  {
    what: 'sessions: a decision is written down and not kept',
    file: 'node/mesh/sessions.ts',
    find: 'if (!decision.allowed) throw this.#denied(peer, decision.reason)',
    replace: '',
    by: 'limited by program'
  },
  {
    what: 'sessions: an ended one is used',
    file: 'node/mesh/sessions.ts',
    find: "if (ended.signal.aborted) throw this.deny(peer, 'its session has ended', capability)",
    replace: ''
  },
  {
    what: 'sessions: they outlive their permits',
    file: 'node/mesh/sessions.ts',
    find: 'const kept = session',
    replace: 'const kept = true || session'
  },
  {
    what: 'hellos: a stranger is welcome without a ticket',
    file: 'node/mesh/hellos.ts',
    find: "if (hello.ticket === undefined) throw sessions.deny(peer, 'no permit holds for it, and it presents no ticket')",
    replace: '',
    by: 'stranger'
  },
  {
    what: "mesh: libp2p's own protocols serve strangers",
    file: 'node/mesh/libp2p.ts',
    find: "if (admission.isStranger(connection)) return stream.abort(new Error('not for strangers'))",
    replace: '',
    by: 'stranger'
  },
  {
    what: 'agency: the capability of a call is not asked for',
    file: 'protocols/agency/server.ts',
    find: 'caller.require(callCapability[name], about(subject))',
    replace: '',
    by: 'limited by program'
  },
  {
    what: 'agency: reading needs less than it should',
    file: 'protocols/agency/server.ts',
    find: 'caller.require(callCapability[name], about(subject))',
    replace: "caller.require(callCapability[name], name === 'plan' ? {} : about(subject))",
    by: 'limited to what it asks'
  },
  {
    what: 'agency: what a call is about is not found out',
    file: 'protocols/agency/server.ts',
    find: 'const subject = await subjectOf(name, checked)',
    replace: 'const subject = {} as Awaited<ReturnType<SubjectOf>>',
    by: 'limited by program'
  },
  {
    what: 'subjects: a run names no program',
    file: 'node/agency/subjects.ts',
    find: 'if (run !== undefined) {',
    replace: 'if (run !== undefined && name === undefined) {',
    by: 'limited by goal'
  },
  {
    what: 'dispatch: goal:dispatch is asked for no goal in particular',
    file: 'protocols/dispatch/server.ts',
    find: 'const what = { program: request.program.hash, goal: request.goal }',
    replace: 'const what = {}',
    by: 'limited to what it asks'
  },
  {
    what: 'dispatch: nothing is looked at again after the program came',
    file: 'protocols/dispatch/server.ts',
    find: "  caller.require('goal:dispatch', what)\n  refuseExpired(executor, request)\n  if (channel",
    replace: '  if (channel'
  },
  {
    what: 'state: told to everybody',
    file: 'protocols/state/server.ts',
    find: "caller.require('state:read')",
    replace: '',
    by: 'without the capability'
  }
]
