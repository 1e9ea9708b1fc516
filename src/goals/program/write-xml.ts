/** Values as XML, so that {@link file://./xml.ts} gives back what was written, white space included. */
import { XMLBuilder, type XmlBuilderOptions } from 'fast-xml-parser'

/** What must not stand as it is: in attributes a reader makes blanks of line ends and tabs. The package's types leave this option out. */
const options: XmlBuilderOptions & { readonly entities: readonly { readonly regex: RegExp; readonly val: string }[] } = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
  entities: ['&', '<', '>', '"', '\n', '\r', '\t'].map(character => ({
    regex: new RegExp(character, 'g'),
    val: `&#${character.charCodeAt(0)};`
  }))
}
const builder = new XMLBuilder(options)

/** `text` for use inside a double-quoted attribute or as element text. */
export function escapeXml(text: string): string {
  return builder.build([{ '#text': text }])
}

/** ` name="value"` for each entry that has a value. */
export function attributesText(attributes: Readonly<Record<string, string | undefined>>): string {
  const given = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
  return builder.build([{ a: [], ':@': given }]).slice('<a'.length, -'/>'.length)
}
