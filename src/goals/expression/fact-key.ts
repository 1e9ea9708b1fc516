/** What a question about the machine is known by. */
import type { FactQuery } from '../ports.ts'
import type { Expression, FileTest } from '../program/model.ts'

type FileQuery = Extract<FactQuery, { kind: 'file' }>

/** Characters that JSON writes as they are. */
const PLAIN = /^[ !#-[\]-~]*$/

/** Of questions that programs ask in so many words, each of them one object. */
const keys = new WeakMap<FactQuery, string>()
const asked = new WeakMap<Expression, FileQuery>()

/** The question as JSON. Thousands of files may be asked about, several times over: for those it is put together once, or by hand. */
export function factKey(query: FactQuery): string {
  const known = keys.get(query)
  if (known !== undefined) return known
  if (query.kind !== 'file' || !PLAIN.test(query.path)) return JSON.stringify(query)
  return `{"kind":"file","test":"${query.test}","path":"${query.path}"}`
}

/** What `expression` asks about the file at `path`, which stands there as it is: the same question each time. */
export function sameQuery(expression: Expression, test: FileTest, path: string): FileQuery {
  const known = asked.get(expression)
  if (known !== undefined) return known
  const query: FileQuery = { kind: 'file', test, path }
  asked.set(expression, query)
  keys.set(query, JSON.stringify(query))
  return query
}
