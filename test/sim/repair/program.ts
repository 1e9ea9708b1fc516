/** Nested programs made for failing: an abstract form that an oracle can interpret, and its text for the product. */
import fc from 'fast-check'

/** How deep goals call one another: the goal that is asked for is 0. */
export const LEVELS = 4

export type Statement =
  | { readonly kind: 'send'; readonly id: string; readonly reads: readonly string[]; readonly touches?: true }
  | { readonly kind: 'update'; readonly id: string; readonly target: string; readonly read: string }
  | { readonly kind: 'call'; readonly goal: number; readonly args: readonly Argument[]; readonly result?: string }
  | { readonly kind: 'find'; readonly id: string; readonly body: readonly Statement[] }
  | { readonly kind: 'do'; readonly body: readonly Statement[] }

/** `inOut`: a single `get`, given back · otherwise text with a value in it. */
export interface Argument {
  readonly name: string
  readonly text: string
  readonly read?: string
  readonly inOut: boolean
}

export interface Goal {
  readonly hasPost: boolean
  /** `m` is what is chosen; `n` can be chosen only by a person. */
  readonly methods: { readonly m: readonly Statement[]; readonly n?: readonly Statement[] }
}

/** Words that a person has added to commands, by their ids. */
export type Edits = ReadonlyMap<string, string>

/** A statement before it is known what it can read: numbers choose among what there is, so that every cut of it is a program. */
export interface Gene {
  readonly kind: number
  readonly a: number
  readonly b: number
  readonly c: number
  readonly body: readonly Gene[]
}

const number = fc.nat({ max: 999 })
const leaf: fc.Arbitrary<Gene> = fc.record({ kind: number, a: number, b: number, c: number, body: fc.constant([]) })
const gene: fc.Arbitrary<Gene> = fc.record({
  kind: number,
  a: number,
  b: number,
  c: number,
  body: fc.array(leaf, { minLength: 1, maxLength: 2 })
})
const goalGenes = fc.record({
  post: fc.nat({ max: 3 }),
  m: fc.array(gene, { minLength: 1, maxLength: 5 }),
  n: fc.option(fc.array(leaf, { minLength: 1, maxLength: 2 }), { freq: 2 })
})

export const programGenes = fc.array(goalGenes, { minLength: LEVELS, maxLength: LEVELS })

type ProgramGenes = typeof programGenes extends fc.Arbitrary<infer T> ? T : never

export const pick = <T>(from: readonly T[], at: number): T => from[at % from.length] as T

/** The goals, the one that is asked for first; each calls the next at least. */
export function build(genes: ProgramGenes): readonly Goal[] {
  let ids = 0
  const id = (letter: string): string => `${letter}${++ids}`
  return genes.map(({ post, m, n }, level) => {
    const hasPost = level > 0 && post === 0
    const method = (body: readonly Gene[], mayCall: boolean): Statement[] => {
      const known = ['goal.x', 'goal.y', 'goal.v', 'agent.a', 'agent.b']
      const written = ['goal.x', 'goal.y', 'goal.v', 'agent.a', 'agent.b']
      let called = false
      const call = ({ a, b, c }: Gene, seen: readonly string[]): Statement => {
        const goal = level + 1 + (c % 4 === 0 ? a % (LEVELS - level - 1) : 0)
        called ||= goal === level + 1
        const args: Argument[] = []
        if (a % 3 > 0) args.push({ name: 'x', text: '', read: pick(['goal.x', 'goal.y', 'goal.v'], b), inOut: true })
        if (b % 3 > 0) args.push({ name: 'y', text: `c${c % 3}-`, ...(c % 2 > 0 && { read: pick(seen, a) }), inOut: false })
        if (genes[goal]?.post === 0) args.push({ name: 'k', text: `k${a % 2}`, inOut: false })
        const result = c % 3 === 0 ? id('r') : undefined
        if (result !== undefined) known.push(...['x', 'y', 'v'].map(name => `goal.${result}.${name}`))
        return { kind: 'call', goal, args, ...(result !== undefined && { result }) }
      }
      const one = (gene: Gene, seen: readonly string[], depth: number): Statement => {
        const { kind, a, b, c } = gene
        const turn = kind % 20
        if (turn >= 17 && depth === 0 && gene.body.length > 0) {
          if (turn === 17) return { kind: 'do', body: gene.body.map(each => one(each, known, 1)) }
          return { kind: 'find', id: id('f'), body: gene.body.map(each => one(each, [...known, 'item', 'item'], 1)) }
        }
        if (turn >= 13 && level < LEVELS - 1 && mayCall) return call(gene, seen)
        if (turn >= 9) return { kind: 'update', id: id('u'), target: pick(written, a), read: pick(seen, b) }
        const made = id('s')
        const reads = [a, b, c].slice(0, kind % 4).map(at => pick(seen, at))
        // What others may read cannot be skipped.
        if (c % 3 > 0) known.push(`goal.${made}.stdout`)
        return { kind: 'send', id: made, reads }
      }
      const statements = body.map(each => one(each, known, 0))
      if (mayCall && level < LEVELS - 1 && !called) statements.push(call({ kind: 13, a: 1, b: 1, c: 1, body: [] }, known))
      if (hasPost) statements.push({ kind: 'send', id: id('t'), reads: ['goal.k'], touches: true })
      else statements.push({ kind: 'send', id: id('s'), reads: ['goal.x'] })
      return statements
    }
    return { hasPost, methods: { m: method(m, true), ...(n !== null && !hasPost && { n: method(n, false) }) } }
  })
}

/** The path whose existence is the post of goal `level` with this `k`. */
export const postPath = (level: number, k: string): string => `/done/g${level}/${k}`

/** The inside of a program file. */
export function render(goals: readonly Goal[], edits: Edits, peerOf: (level: number) => string | undefined = () => undefined): string {
  const get = (path: string): string => `<get>${path}</get>`
  const show = (statement: Statement): string => {
    switch (statement.kind) {
      case 'send':
        return `<shell><send name="${statement.id}">${[statement.id, ...statement.reads.map(get)].join(' ')}${edits.get(statement.id) ?? ''}</send></shell>`
      case 'update':
        return `<update name="${statement.id}"><set>${statement.target}</set><string>${statement.id}-${get(statement.read)}</string></update>`
      case 'call': {
        const named = statement.result === undefined ? '' : ` name="${statement.result}"`
        const peer = peerOf(statement.goal)
        const args = statement.args.map(
          ({ name, text, read }) => `<variable name="${name}">${text}${read === undefined ? '' : get(read)}</variable>`
        )
        return `<g${statement.goal}${named}${peer === undefined ? '' : ` peer="${peer}"`}>${args.join('')}</g${statement.goal}>`
      }
      case 'find':
        return `<find symbol="item" name="${statement.id}"><in>${get('goal.list')}</in><do>${statement.body.map(show).join('')}</do></find>`
      case 'do':
        return `<do>${statement.body.map(show).join('')}</do>`
    }
  }
  const proto = ({ hasPost, methods }: Goal, level: number): string =>
    `<goalProto name="g${level}"><variable name="x">x${level}</variable><variable name="y">y${level}</variable><variable name="v">v${level}</variable>
${hasPost ? '<variable name="k">k</variable>' : ''}<list name="list"><variable>p</variable><variable>q${level}</variable></list>
${hasPost ? `<post><fileTest type="exists">/done/g${level}/<get>goal.k</get></fileTest></post>` : ''}
<method name="m">${methods.m.map(show).join('\n')}</method>
${methods.n === undefined ? '' : `<method name="n"><pre><fileTest type="exists">/nowhere</fileTest></pre>${methods.n.map(show).join('\n')}</method>`}
</goalProto>`
  return `<agent name="keeper"><variable name="a">a0</variable><variable name="b">b0</variable></agent>\n${goals.map(proto).join('\n')}`
}
