/** `<editFile>`: a text file edited in place. Done again it changes nothing. Source: docs/language.md, "editFile". */
import { interpolate } from '../expression/interpolate.ts'
import type { Interpolated, Scope } from '../expression/result.ts'
import type { FactQuery } from '../ports.ts'
import type { Complaint, EditFileStatement, Template } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import type { Here } from './call.ts'
import type { Edit } from './file-edits.ts'
import { literally } from './terminal.ts'
import { described, joined, type Performed, type Prepared, type Step } from './step.ts'

/** A text with its values, and the same as people may see it. */
interface Both {
  readonly real: string
  readonly shown: string
}

interface PreparedEdit extends Prepared {
  readonly path: string
  readonly edits: readonly Edit[]
  /** The same with secrets masked. */
  readonly shown: readonly Edit[]
  /** Whether any value in the edits is a secret. */
  readonly secret: boolean
  /** Why it cannot be made, as was seen just now. */
  readonly problem?: string
}

/** One `<editFile>`. */
export function editStep(here: Here, statement: EditFileStatement, id: string): Step<PreparedEdit> {
  const { scope } = here
  return {
    id,
    kind: 'editFile',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: statement.name === undefined ? [] : [['goal', statement.name]],
    prepare: () => prepare(statement, scope),
    async perform(world, prepared) {
      const { files } = world.driver
      if (prepared.problem !== undefined) return { status: 'failed', writes: [], reason: prepared.problem }
      const [fact] = await world.probe.gather([queryOf(statement, prepared)])
      if (fact?.kind !== 'edited') return { status: 'failed', writes: [], reason: `${prepared.path} cannot be looked at` }
      const { edited } = fact
      if ('problem' in edited) return { status: 'failed', writes: [], reason: edited.problem }
      try {
        if (edited.changed) await files.replaceText(prepared.path, edited.text)
      } catch (error) {
        return { status: 'failed', writes: [], reason: `${prepared.path}: ${error instanceof Error ? error.message : String(error)}` }
      }
      return outcomeOf(statement, prepared, edited)
    }
  }
}

function outcomeOf(statement: EditFileStatement, { path }: PreparedEdit, { changed, diff }: { changed: boolean; diff: string }): Performed {
  const fields: Record<string, Tree> = {
    path: { type: 'localFilePath', value: path },
    changed: { type: 'bool', value: changed },
    diff: { value: diff }
  }
  return {
    status: 'completed',
    writes: statement.name === undefined ? [] : [{ path: ['goal', statement.name], value: { fields } }],
    note: changed ? diff : `${path} is as it should be`
  }
}

function prepare(statement: EditFileStatement, scope: Scope): PreparedEdit {
  const texts: Interpolated[] = []
  const both = (template: Template, literal: (text: string) => string = text => text): Both => {
    const pieces = template.map(part => {
      const text = interpolate([part], scope, 'text')
      texts.push(text)
      return part.kind === 'text' ? { real: part.text, shown: part.text } : { real: literal(text.text), shown: literal(text.show) }
    })
    return { real: pieces.map(each => each.real).join(''), shown: pieces.map(each => each.shown).join('') }
  }
  const path = both(statement.path)
  const isPlaced = path.real.startsWith('/') && texts.every(({ unknown, errors }) => !unknown && errors.length === 0)
  const home = /^~(?=\/|$)/.test(path.real) ? homeOf(scope) : { value: '', wanted: [] }
  const edits: Edit[] = []
  const shown: Edit[] = []
  for (const each of statement.edits) {
    const pattern = 'pattern' in each ? both(each.pattern, literally) : { real: '', shown: '' }
    const text = 'text' in each ? both(each.text, each.kind === 'replace' ? escapeReplacement : undefined) : { real: '', shown: '' }
    const first = each.kind === 'replace' && each.first
    edits.push({ kind: each.kind, pattern: pattern.real, text: text.real, first, place: each.place })
    shown.push({ kind: each.kind, pattern: pattern.real, text: text.shown, first, place: each.place })
  }
  const known = joined(texts)
  const base = {
    path: path.real.replace(/^~(?=\/|$)/, () => home.value),
    edits,
    shown,
    secret: edits.some((each, at) => each.text !== shown[at]!.text)
  }
  const show = `edit ${path.shown}`
  const wanted = [...known.wanted, ...home.wanted]
  if (known.unknown && isPlaced && scope.inPlan) {
    // The plan rests on the file all the same.
    const query: FactQuery = { kind: 'contents', path: path.real }
    if (scope.fact(query) === undefined) wanted.push(query)
  }
  if (known.errors.length > 0 || known.unknown || wanted.length > 0) return { ...known, ...base, wanted, show }
  return foresee(statement, scope, { ...known, ...base, wanted, show })
}

/** What the edit would change, as far as the file is known. In a plan an earlier step may still write it. */
function foresee(statement: EditFileStatement, scope: Scope, prepared: PreparedEdit): PreparedEdit {
  if (!prepared.path.startsWith('/'))
    return { ...prepared, errors: [complaint(statement, `path '${prepared.path}' does not begin with / or ~/`)] }
  const query = queryOf(statement, prepared)
  const fact = scope.fact(query)
  if (fact === undefined) return { ...prepared, wanted: [query] }
  if (fact.kind !== 'edited') return { ...prepared, unknown: scope.inPlan }
  const { edited } = fact
  if ('problem' in edited)
    return scope.inPlan ? { ...prepared, unknown: true, detail: edited.problem } : { ...prepared, problem: edited.problem }
  const { added, removed } = edited
  return {
    ...prepared,
    show: `${prepared.show} (${edited.changed ? `+${added} -${removed}` : 'nothing to change'})`,
    detail: edited.diff,
    already: !edited.changed
  }
}

/** The question of what the edit makes of the file; answered outside of the walk, since patterns may take for ever. */
function queryOf({ create }: EditFileStatement, { path, edits, shown, secret }: PreparedEdit): FactQuery {
  return { kind: 'edited', edits: { path, create, edits, shown, secret } }
}

function homeOf(scope: Scope): { readonly value: string; readonly wanted: readonly FactQuery[] } {
  const query: FactQuery = { kind: 'env', name: 'HOME' }
  const fact = scope.fact(query)
  if (fact === undefined) return { value: '~', wanted: [query] }
  return { value: fact.kind === 'text' ? (fact.value ?? '~') : '~', wanted: [] }
}

/** A value in a replacement means itself. */
function escapeReplacement(text: string): string {
  return text.replaceAll('$', '$$$$')
}

function complaint({ place }: EditFileStatement, message: string): Complaint {
  return { place, message }
}
