/** Writes what is made of the tables of elements and of the types: all of schema/, and the reference in docs/language.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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
const page = at('docs/language.md')
writeFileSync(page, withReference(readFileSync(page, 'utf8')))
console.log('schema/ and the reference of docs/language.md are as the tables say')
