/** A program's text as a tree that forgets nothing: comments, CDATA and entities as they are written. For the formatter. */

/** A part of the text, `raw` as it stands there. */
export type Child = Tag | { readonly kind: 'text' | 'cdata' | 'comment' | 'instruction'; readonly raw: string }

/** An element; the values of its attributes as written, without their quotes. */
export interface Tag {
  readonly kind: 'element'
  readonly name: string
  readonly attributes: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly children: Child[]
}

const token = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/[^>]*>|<[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>|[^<]+/g

/** Tags, texts and the rest, in order; together they are `source`, which must be well-formed. */
export function tokensOf(source: string): string[] {
  return source.match(token) ?? []
}

/** What stands at the top: the root element, and comments around it. */
export function treeOf(tokens: readonly string[]): Child[] {
  const top: Child[] = []
  const open: Child[][] = [top]
  for (const raw of tokens) {
    const here = open.at(-1)!
    if (raw.startsWith('<!--')) here.push({ kind: 'comment', raw })
    else if (raw.startsWith('<![CDATA[')) here.push({ kind: 'cdata', raw })
    else if (raw.startsWith('<?')) here.push({ kind: 'instruction', raw })
    else if (raw.startsWith('</')) open.pop()
    else if (!raw.startsWith('<')) here.push({ kind: 'text', raw })
    else {
      const element = tagOf(raw)
      here.push(element)
      if (!raw.endsWith('/>')) open.push(element.children)
    }
  }
  return top
}

function tagOf(raw: string): Tag {
  const name = /^<([^\s/>]+)/.exec(raw)![1]!
  const attributes = [...raw.slice(name.length + 1).matchAll(/([^\s=/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
    ([, attribute, double, single]) => ({ name: attribute!, value: double ?? single! })
  )
  return { kind: 'element', name, attributes, children: [] }
}
