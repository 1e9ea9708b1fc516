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
    find: 'if (!decision.allowed) throw this.#denied(peer, reason)',
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
    find: 'if (!sessions.permitted(peer)) throw sessions.deny(peer, stranger(sessions, peer, hello))',
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
    find: 'const subject = await subjectOf(first.name, shaped)',
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
    find: 'const what: About = { program: request.program.hash, goal: request.goal, vars: request.assignments.map(({ path }) => path) }',
    replace: 'const what: About = {}',
    by: 'limited to what it asks'
  },
  {
    what: 'dispatch: nothing is looked at again after the program came',
    file: 'protocols/dispatch/server.ts',
    find: '  await required(executor, request, asking, what)\n  refuseExpired(executor, request)\n  if (channel',
    replace: '  if (channel'
  },
  {
    what: 'state: told to everybody',
    file: 'protocols/state/server.ts',
    find: "caller.require('state:read')",
    replace: '',
    by: 'without the capability'
  },
  {
    what: 'rights: what was taken back counts',
    file: 'node/permissions/rights.ts',
    find: "trusted.revocations?.revokes(key, grant, right.peer) === true) return 'revoked'",
    replace: "trusted.revocations?.revokes(key, grant, right.peer) === undefined) return 'revoked'"
  },
  {
    what: 'rights: an authority that was not heard of for long counts',
    file: 'node/permissions/rights.ts',
    find: 'if (fresh !== undefined && now - heardAt(trusted, key) + CLOCK_LEEWAY_MS > fresh)',
    replace: 'if (fresh !== undefined && fresh < 0)'
  },
  {
    what: 'rights: a grant does not end',
    file: 'node/permissions/rights.ts',
    find: ' || now >= until',
    replace: ''
  },
  {
    what: 'rights: a grant goes beyond the ceiling of its authority',
    file: 'node/permissions/rights.ts',
    find: 'bounds: [bounds, ...chain],',
    replace: 'bounds: chain,'
  },
  {
    what: 'rights: what is handed on goes beyond what it comes from',
    file: 'node/permissions/rights.ts',
    find: 'allows.map(below => [above, below])',
    replace: 'allows.map(below => [below])'
  },
  {
    what: 'revocations: what a holder that was taken out has handed on counts',
    file: 'node/permissions/revocation-book.ts',
    find: 'subject !== undefined && each.at < (subject.before ?? 0)',
    replace: 'subject !== undefined && each.at < 0'
  },
  {
    what: 'revocations: what was handed on outlives what it comes from',
    file: 'node/permissions/revocation-book.ts',
    find: 'each = each.parent)',
    replace: 'each = undefined)'
  },
  {
    what: 'revocations: what a holder has taken back counts',
    file: 'node/permissions/revocation-book.ts',
    find: ' || (grant.parent !== undefined && this.#byHolder(by, grant, holder))',
    replace: ''
  },
  {
    what: 'revocations: a holder takes back what others have handed on',
    file: 'node/permissions/revocation-book.ts',
    find: 'const entry = this.#holders.get(by)',
    replace: 'const [entry] = this.#holders.values()'
  },
  {
    what: 'revocations: a holder takes back what it was granted',
    file: 'node/permissions/revocation-book.ts',
    find: '(grant.parent !== undefined && this.#byHolder(by, grant, holder))',
    replace: 'this.#byHolder(grant.subject, grant, holder)'
  },
  {
    what: 'trust: whoever shows a grant has it',
    file: 'node/permissions/trust.ts',
    find: 'grantsOf: peer => grants.of(peer),',
    replace: 'grantsOf: () => grants.all(),',
    by: 'by a grant of somebody else'
  },
  {
    what: 'trust: lists of those who hold nothing are taken in',
    file: 'node/permissions/taking-in.ts',
    find: 'keys.includes(root.subject) && ',
    replace: ''
  },
  {
    what: 'grants: somebody else hands on what a holder has',
    file: 'crypto/grant.ts',
    find: 'if (parent.subject !== signer) throw',
    replace: 'if (parent.subject === undefined) throw'
  },
  {
    what: 'grants: handed on twice',
    file: 'crypto/grant.ts',
    find: "if (!mayHaveParent) throw refused('a grant may be handed on once')",
    replace: ''
  },
  {
    what: 'signatures: whoever is named has signed',
    file: 'crypto/dsse.ts',
    find: 'if (!verify(signer, preAuthEncoding(payloadType, payload), signature))',
    replace: 'if (signature.byteLength === 0)'
  },
  {
    what: 'signatures: of whatever type',
    file: 'crypto/dsse.ts',
    find: 'const type = Buffer.from(payloadType)',
    replace: "const type = Buffer.from('any')"
  },
  {
    what: 'asks: shown to another node',
    file: 'protocols/behalf.ts',
    find: 'if (ask.to !== next) throw',
    replace: 'if (ask.to === undefined) throw'
  },
  {
    what: 'asks: shown by somebody else',
    file: 'protocols/behalf.ts',
    find: 'if (last && ask.signer !== from) throw',
    replace: 'if (last && ask.signer === undefined) throw'
  },
  {
    what: 'asks: shown for something else',
    file: 'protocols/behalf.ts',
    find: 'if (!(last ? isThis(ask, asked) : leadsTo(ask, asked))) throw',
    replace: 'if (ask.signer === undefined) throw'
  },
  {
    what: 'asks: shown much later',
    file: 'protocols/behalf.ts',
    find: 'ask.at < now - age',
    replace: 'ask.at < 0'
  },
  {
    what: 'sessions: who is asked for needs no right',
    file: 'node/mesh/sessions.ts',
    find: 'for (const other of others) this.#require(',
    replace: 'for (const other of []) this.#require('
  },
  {
    what: 'trust: strangers give a node grants of its own',
    file: 'node/permissions/taking-in.ts',
    find: "if (ours && of === 'others') return false",
    replace: ''
  },
  {
    what: 'agents: whoever has passed the door acts on any of them',
    file: 'node/agency/agency.ts',
    find: 'if (permits !== undefined) requireAgent({ permits, programs }, by, capability, what)',
    replace: ''
  },
  {
    what: 'agents: the effect asks about no program in particular',
    file: 'node/goals/permitted.ts',
    find: 'permits.require(by, capability, { program, ...(programName !== undefined && { programName }), ...(vars !== undefined && { vars }) })',
    replace: 'permits.require(by, capability, {})'
  },
  {
    what: 'control: a page of another site asks',
    file: 'node/control/secure.ts',
    find: 'if (headers.origin !== undefined && headers.origin.toLowerCase() !== `https://${host.toLowerCase()}`) {',
    replace: 'if (headers.origin === undefined && host === undefined) {'
  },
  {
    what: 'control: a name that was made to lead here',
    file: 'node/control/secure.ts',
    find: '=== `${name.toLowerCase()}:${port}`)) throw',
    replace: '!== undefined)) throw'
  },
  {
    what: 'control: somebody who has not signed in asks',
    file: 'node/control/secure.ts',
    find: "if (scheme !== 'Bearer' || token === undefined || !signIn.holds(token)) {",
    replace: "if (scheme === 'Basic') {"
  },
  {
    what: 'control: a code is used twice',
    file: 'node/control/sign-in.ts',
    find: 'codes.delete(key)\n',
    replace: '\n'
  },
  {
    what: 'files: a link stands in place of the file',
    file: 'node/files/file-safety.ts',
    find: 'if (!lstatSync(path).isSymbolicLink()) return\n',
    replace: 'if (path.length > 0) return\n'
  },
  {
    what: 'files: others may write it',
    file: 'node/files/file-safety.ts',
    find: '(stats.mode & GROUP_OR_OTHERS_WRITE) === 0 || sticky',
    replace: 'stats.mode > 0 || sticky'
  }
]
