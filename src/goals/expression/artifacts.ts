/**
 * Files as values: `{type: 'artifact', value: 'sha256:…'}` wherever it is written down or sent, and the path of a file wherever
 * it is used. Source: docs/language.md, "Files between nodes".
 */
import type { FactQuery } from '../ports.ts'
import type { Tree } from '../tree.ts'
import { ask, type Trace } from './trace.ts'

const REFERENCE = /^sha256:[0-9a-f]{64}$/

/** Whether `text` names a file by what is in it. */
export function isReference(text: string): boolean {
  return REFERENCE.test(text)
}

/** A file by what is in it. Anything else of this type is a text like any other: what others send is never taken for a path here. */
export function isArtifact(tree: Tree | undefined): tree is Tree & { readonly value: string } {
  return tree?.type === 'artifact' && typeof tree.value === 'string' && isReference(tree.value)
}

/** The question where the file is; whoever may have effects has it fetched. */
export function artifactQuery({ value }: { readonly value: string }, fetch: boolean): FactQuery {
  return { kind: 'artifact', reference: value, fetch }
}

/** Where the file is on this machine. A plan has none fetched: of one that is not here it says `later`. */
export function fileOf(
  tree: Tree & { readonly value: string },
  trace: Trace
): { readonly path: string } | { readonly later: true } | { readonly why: string } {
  const { inPlan } = trace.scope
  const fact = ask(trace, artifactQuery(tree, !inPlan))
  if (fact === undefined) return { later: true }
  if (fact.kind === 'artifact' && 'path' in fact) return { path: fact.path }
  return inPlan ? { later: true } : { why: fact.kind === 'artifact' ? fact.why : 'files by what is in them are fetched by daemons' }
}

/** Whether `value`, written to a place that holds `before`, is the path of a file that is to be kept. */
function isToBeKept(before: Tree | undefined, { type, value }: Tree): boolean {
  const isPath = type === undefined || type === 'string' || type === 'localFilePath'
  return before?.type === 'artifact' && isPath && typeof value === 'string' && /^~?\//.test(value.trim())
}

/** Whether {@link keepFiles} would have something to keep. */
export function hasFilesToKeep(before: Tree | undefined, value: Tree): boolean {
  if (isToBeKept(before, value)) return true
  return Object.entries(value.fields ?? {}).some(([name, field]) => hasFilesToKeep(before?.fields?.[name], field))
}

/** `value` with the path of each file that goes to a place of type artifact replaced by what `keep` gives for it. */
export async function keepFiles(before: Tree | undefined, value: Tree, keep: (path: string) => Promise<string>): Promise<Tree> {
  if (isToBeKept(before, value)) return { type: 'artifact', value: await keep(String(value.value).trim()) }
  if (!hasFilesToKeep(before, value)) return value
  const fields: Record<string, Tree> = {}
  for (const [name, field] of Object.entries(value.fields ?? {})) fields[name] = await keepFiles(before?.fields?.[name], field, keep)
  return { ...value, fields }
}
