/** Descriptions for people, in their language. */
import { interpolate } from '../expression/interpolate.ts'
import { showPath } from '../expression/path.ts'
import type { Scope } from '../expression/result.ts'
import type { Description, Template } from '../program/model.ts'

/** The description for `locale` (as in LANG: `de_DE.UTF-8`), with what is known filled in, secrets masked and `${path}` for the rest. */
export function describe(descriptions: readonly Description[], scope: Scope, locale?: string): string | undefined {
  const chosen = choose(descriptions, locale)
  return chosen === undefined ? undefined : interpolate(chosen.text, scope, 'text').show
}

/** The same before anything is known: every value is `${path}`. */
export function plainDescription(descriptions: readonly Description[], locale?: string): string | undefined {
  const chosen = choose(descriptions, locale)
  return chosen === undefined ? undefined : plain(chosen.text)
}

/** The one of the same locale, else of the same language, else the first. */
function choose(descriptions: readonly Description[], locale: string | undefined): Description | undefined {
  const wanted = normal(locale ?? '')
  const language = wanted.split('-')[0]!
  return (
    descriptions.find(each => normal(each.locale ?? '') === wanted && wanted !== '') ??
    descriptions.find(each => normal(each.locale ?? '').split('-')[0] === language && language !== '') ??
    descriptions[0]
  )
}

/** `de_DE.UTF-8` → `de-de`. */
function normal(locale: string): string {
  return locale.split(/[.@]/)[0]!.replace('_', '-').toLowerCase()
}

function plain(template: Template): string {
  return template
    .map(part =>
      part.kind === 'text'
        ? part.text
        : part.kind === 'get'
          ? `\${${showPath(part.path)}}`
          : part.kind === 'string'
            ? plain(part.parts)
            : '…'
    )
    .join('')
}
