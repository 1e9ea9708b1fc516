/** Writes what is made of tables and types: all of schema/, the references in docs/language.md and docs/cli.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { withCommands } from './schema/commands.ts'
import { jsonSchemas } from './schema/json-schemas.ts'
import { withReference } from './schema/reference.ts'
import { rncOf } from './schema/rnc.ts'
import { neighborhood, permissions, program } from './schema/vocabularies.ts'
import { xsdOf } from './schema/xsd.ts'

const at = (path: string): URL => new URL(`../${path}`, import.meta.url)
mkdirSync(at('schema'), { recursive: true })
for (const [name, vocabulary] of Object.entries({ program, neighborhood, permissions })) {
  writeFileSync(at(`schema/${name}.xsd`), xsdOf(vocabulary))
  writeFileSync(at(`schema/${name}.rnc`), rncOf(vocabulary))
}
for (const [name, text] of Object.entries(jsonSchemas())) writeFileSync(at(`schema/${name}.schema.json`), text)
for (const [page, made] of [
  ['docs/language.md', withReference],
  ['docs/cli.md', withCommands]
] as const)
  writeFileSync(at(page), made(readFileSync(at(page), 'utf8')))
console.log('schema/ and the references of docs/language.md and docs/cli.md are as the tables say')
