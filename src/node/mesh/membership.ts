/**
 * Who of the connected nodes is there: probes in turn, asks others before it believes that one is gone, and doubts itself first.
 * Sources: SWIM (Das, Gupta, Motivala 2002); Lifeguard (Dadgar, Phillips, Currey 2017) for the health multiplier.
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../../goals/ports.ts'

export interface MembershipTimes {
  /** One node is probed this often, in milliseconds: each in its turn, in another order each round. */
  readonly probeEveryMs: number
  /** A probe is answered within this time and the usual round trip to that node. */
  readonly answerWithinMs: number
  /** One that did not answer is asked, directly and through others, for this long before it counts as away. */
  readonly suspectForMs: number
  /** The first answer of a node may take this long, in milliseconds: its line may be slow. */
  readonly firstWithinMs: number
  /** A connection on which nothing was answered for this long is given up, in milliseconds. */
  readonly giveUpAfterMs: number
}

/**
 * Away is told within five seconds: a probe's turn, its answer, the suspicion. Many nodes probe, and one suspicion wakes all. What was
 * silent for six seconds is dialled anew: TCP would try again after 6.2, 12.6 and 25.4 s of silence (RFC 6298, from 0.2 s), and a
 * partition heals within five.
 */
export const MEMBERSHIP_TIMES: MembershipTimes = {
  probeEveryMs: 500,
  answerWithinMs: 500,
  suspectForMs: 1_500,
  firstWithinMs: 2_000,
  giveUpAfterMs: 6_000
}
/** So many others are asked about a node that does not answer. */
export const HELPERS_MAX = 3
/** A node that finds itself slow waits this many times as long before it believes that others are gone. */
export const DOUBT_MAX = 8
/** Tries within one suspicion. */
const TRIES_PER_SUSPICION = 3
/** Tries within one suspicion in which this node was slow; then it believes itself all the same. */
const LATE_TRIES_MAX = 8
/** A timer that fires so late, in milliseconds, says that this node is slow, not the others: an answer may have come, and not been read. */
const LATE_MS = 100
/** So late, it stood still, and does not know who answered meanwhile. */
const STALLED_MS = 1_000
/** Looks at the same time because of what somebody said; what is said beyond that waits for its turn. */
const HEARSAY_MAX = 4
/** New nodes that are asked besides in one turn; each so often at most, while its answers take longer than so many milliseconds. */
const NEW_MAX = 2
const NEW_ASKED_MAX = 8
const SLOW_MS = 100
/** Of those that are connected, such a part may be silent before a node thinks that it is the one cut off, and tells nobody whom it suspects. */
const CUT_OFF_PART = 1 / 4

/** What came of a probe; `late`: nothing, and this node was slow itself. */
type Answer = 'answered' | 'silent' | 'late'

export type Standing = 'alive' | 'suspect' | 'away'

export interface MembershipOptions {
  /** Peers with a connection on which we are welcome. */
  readonly members: () => readonly string[]
  /** @param withinMs whole @returns the round trip in milliseconds @throws when no answer came in time */
  readonly probe: (peer: string, withinMs: number) => Promise<number>
  /** Whether `peer` answers `helper`. @throws when `helper` does not answer us */
  readonly probeThrough: (helper: string, peer: string, withinMs: number) => Promise<boolean>
  /** Tells others whom we suspect, so that they look for themselves: by one who is well, and found it by itself. */
  readonly announce: (suspect: string) => void
  /** Called at each change. */
  readonly onStanding: (peer: string, standing: Standing) => void
  /** Nothing was answered for so long that the connection is worth nothing. */
  readonly giveUp: (peer: string) => void
  readonly clock: Clock
  /** Between 0 and 1. */
  readonly chance: () => number
  readonly times?: MembershipTimes
}

interface Member {
  standing: Standing
  /** When it answered last; of one that never did, when it was first looked at. */
  heard: number
  /** When it was first asked in vain, since it answered last. */
  silentSince?: number
  /** Of its line, as far as is known: it falls at once and rises slowly, for a node that is busy for a moment is no slow line. */
  roundTripMs?: number
  asked: number
  looking: boolean
}

export class Membership {
  readonly #options: MembershipOptions
  readonly #times: MembershipTimes
  readonly #members = new Map<string, Member>()
  readonly #stop = new AbortController()
  /** Who is looked at because of what somebody said. */
  readonly #hearsay = new Set<string>()
  /** From 1; each time this node was slower than others, one more. */
  #doubt = 1
  #round: string[] = []

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#times = options.times ?? MEMBERSHIP_TIMES
    // Each look that waits listens.
    setMaxListeners(0, this.#stop.signal)
  }

  start(): void {
    void this.#turns().catch(() => undefined)
  }

  stop(): void {
    this.#stop.abort()
  }

  standing(peer: string): Standing | undefined {
    return this.#members.get(peer)?.standing
  }

  /** How much longer than usual this node waits for others: 1 when it finds itself well. */
  get doubt(): number {
    return this.#doubt
  }

  /** Somebody suspects a node: we look for ourselves, soon, and not all at the same moment. */
  heardSuspicion(peer: string): void {
    if (this.#hearsay.size >= HEARSAY_MAX || this.#hearsay.has(peer) || !this.#options.members().includes(peer)) return
    const member = this.#members.get(peer)
    // Whoever suspects it waited for its answer first: we have heard it since.
    const wasHeard = member !== undefined && this.#options.clock.now() - member.heard < this.#times.answerWithinMs
    if (member?.looking === true || wasHeard) return
    this.#hearsay.add(peer)
    void this.#sleep(this.#options.chance() * 100)
      .then(() => this.#look(peer))
      .catch(() => undefined)
      .finally(() => this.#hearsay.delete(peer))
  }

  async #turns(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#sleep(this.#times.probeEveryMs * (0.75 + this.#options.chance() / 2))
      const next = this.#next()
      for (const peer of new Set([next, this.#lost(), ...this.#unsure()]))
        if (peer !== undefined) void this.#look(peer).catch(() => undefined)
    }
  }

  /** Some of the new ones: whether their lines are slow, or they were busy, is good to know before they fall silent. */
  #unsure(): string[] {
    const isUnsure = (peer: string): boolean => {
      const { asked, roundTripMs = Number.POSITIVE_INFINITY } = this.#members.get(peer) ?? { asked: 0 }
      return asked < NEW_ASKED_MAX && roundTripMs > SLOW_MS
    }
    return this.#options.members().filter(isUnsure).slice(0, NEW_MAX)
  }

  /** One of those that are away: whoever comes back need not wait for its turn. */
  #lost(): string | undefined {
    const lost = [...this.#members].filter(([, { standing }]) => standing === 'away')
    return lost[Math.floor(this.#options.chance() * lost.length)]?.[0]
  }

  /** Each once a round, in another order each round; those that are away too, since they may come back. */
  #next(): string | undefined {
    const members = this.#options.members()
    for (const peer of this.#members.keys()) if (!members.includes(peer)) this.#members.delete(peer)
    if (members.length === 0) return undefined
    for (let tries = 0; tries < 2; tries++) {
      for (let peer = this.#round.pop(); peer !== undefined; peer = this.#round.pop()) if (members.includes(peer)) return peer
      this.#round = shuffled(members, this.#options.chance)
    }
    return undefined
  }

  async #look(peer: string): Promise<void> {
    const { clock } = this.#options
    const member = this.#members.get(peer) ?? { standing: 'alive', heard: clock.now(), asked: 0, looking: false }
    this.#members.set(peer, member)
    if (member.looking) return
    member.looking = true
    try {
      const answer = await this.#ask(peer, member)
      if (answer === 'answered' || this.#gone(peer, member)) return
      if (member.standing !== 'away') await this.#suspect(peer, member, answer)
      if (clock.now() - (member.silentSince ?? clock.now()) > this.#times.giveUpAfterMs) this.#options.giveUp(peer)
    } finally {
      member.looking = false
    }
  }

  async #ask(peer: string, member: Member): Promise<Answer> {
    const { clock, probe } = this.#options
    const within = this.#within(member)
    const began = clock.now()
    member.asked++
    try {
      const took = await probe(peer, within)
      const { roundTripMs: known = took } = member
      member.roundTripMs = Math.min(took, 0.95 * known + 0.05 * took)
      member.heard = clock.now()
      delete member.silentSince
      this.#doubt = Math.max(1, this.#doubt - 1)
      this.#set(peer, member, 'alive')
      return 'answered'
    } catch {
      const late = clock.now() - began - within
      // Whoever stood still does not know who answered meanwhile.
      if (late > STALLED_MS) delete member.silentSince
      else member.silentSince ??= began
      if (late < LATE_MS) return 'silent'
      this.#doubts()
      return 'late'
    }
  }

  /** Whole milliseconds, as timers take them. */
  #within({ asked, roundTripMs = 0 }: Member): number {
    const { answerWithinMs, firstWithinMs } = this.#times
    return Math.ceil((asked === 0 ? firstWithinMs : answerWithinMs + roundTripMs) * this.#doubt)
  }

  /** Asks on, directly and through others; one that others reach is not gone, and we may be the slow one. */
  async #suspect(peer: string, member: Member, first: Answer): Promise<void> {
    const { clock, announce } = this.#options
    const isNews = member.standing === 'alive' && !this.#hearsay.has(peer)
    this.#set(peer, member, 'suspect')
    if (isNews && this.#isWell()) announce(peer)
    const since = clock.now()
    const tries = { silent: 0, late: 0 }
    const isOver = (): boolean => tries.silent >= TRIES_PER_SUSPICION && clock.now() - since >= this.#times.suspectForMs * this.#doubt
    for (let last = first; !isOver() && tries.late < LATE_TRIES_MAX; ) {
      if (this.#stop.signal.aborted || this.#gone(peer, member)) return
      const began = clock.now()
      // Whoever is slow does not make others work as well.
      const [direct, others] = await Promise.all([this.#ask(peer, member), last !== 'late' && this.#throughOthers(peer)])
      if (direct === 'answered') return
      if (others) {
        this.#doubts()
        return
      }
      tries[direct]++
      last = direct
      const pause = (this.#times.suspectForMs * this.#doubt) / TRIES_PER_SUSPICION - (clock.now() - began)
      if (pause > 0) await this.#sleep(pause)
    }
    this.#set(peer, member, 'away')
  }

  async #throughOthers(peer: string): Promise<boolean> {
    const { members, probeThrough, chance } = this.#options
    const well = members().filter(each => each !== peer && this.#members.get(each)?.standing !== 'away')
    const asked = shuffled(well, chance).slice(0, HELPERS_MAX)
    const within = Math.ceil(this.#times.answerWithinMs * this.#doubt)
    const answers = await Promise.all(asked.map(helper => probeThrough(helper, peer, within).catch(() => false)))
    return answers.includes(true)
  }

  /** Neither slow nor cut off. */
  #isWell(): boolean {
    const silent = [...this.#members.values()].filter(({ standing }) => standing !== 'alive').length
    return this.#doubt === 1 && silent <= Math.max(1, this.#members.size * CUT_OFF_PART)
  }

  #doubts(): void {
    this.#doubt = Math.min(DOUBT_MAX, this.#doubt + 1)
  }

  /** Its connection has ended meanwhile: that tells more than any probe. */
  #gone(peer: string, member: Member): boolean {
    return this.#members.get(peer) !== member || !this.#options.members().includes(peer)
  }

  #set(peer: string, member: Member, standing: Standing): void {
    // A look outlives its connection; the next one is looked at by itself.
    if (member.standing === standing || this.#members.get(peer) !== member) return
    member.standing = standing
    this.#options.onStanding(peer, standing)
  }

  #sleep(ms: number): Promise<void> {
    return this.#options.clock.sleep(ms, this.#stop.signal)
  }
}

function shuffled(peers: readonly string[], chance: () => number): string[] {
  const order = peers.map(peer => ({ peer, at: chance() }))
  return order.sort((a, b) => a.at - b.at).map(({ peer }) => peer)
}
