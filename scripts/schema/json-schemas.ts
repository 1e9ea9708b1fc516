/** JSON schemas of what `-o json` and saved files hold, made of the types that the code is checked against. */
import { fileURLToPath } from 'node:url'
import { createGenerator } from 'ts-json-schema-generator'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Name of the schema → type, the file where it stands, and what the version in the data says. */
const documents = {
  plan: { type: 'Plan', path: 'src/goals/plan/plan.ts' },
  'saved-plan': { type: 'SavedPlan', path: 'src/cli/saved-plan.ts' },
  graph: { type: 'Graph', path: 'src/goals/graph/graph.ts' },
  events: { type: 'StreamItem', path: 'src/protocols/agency/calls.ts' }
} as const

export type DocumentName = keyof typeof documents

/** Each as text, as it stands in schema/NAME.schema.json. Takes some seconds: the types are read from all of src/. */
export function jsonSchemas(): Record<DocumentName, string> {
  const made = Object.entries(documents).map(([name, { type, path }]) => {
    const schema = createGenerator({ path: `${root}/${path}`, tsconfig: `${root}/tsconfig.json`, type, skipTypeCheck: true }).createSchema(
      type
    )
    return [name, `${JSON.stringify({ title: `cloudburst ${name}, version 1`, ...schema }, null, 2)}\n`]
  })
  return Object.fromEntries(made) as Record<DocumentName, string>
}
