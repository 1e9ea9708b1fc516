import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const docs = new URL('../docs/', import.meta.url)
/** Rows may be added; a smaller number means that one was dropped. */
const ROWS_AT_LEAST = 100

interface Row {
  readonly title: string
  readonly state: string
  readonly page: string
  readonly test: string
}

describe('the ledger of rows', () => {
  const rows = rowsOf(readFileSync(new URL('rows.md', docs), 'utf8'))

  it('has every row once', () => {
    assert.ok(rows.length >= ROWS_AT_LEAST, `${rows.length} rows`)
    assert.equal(new Set(rows.map(row => row.title)).size, rows.length)
  })

  it('says of each whether it is open, works in part, or is done', () => {
    assert.deepEqual(
      rows.filter(row => !['open', 'part', 'done'].includes(row.state)),
      []
    )
  })

  it('names a page and a test that exist for each that is not open', () => {
    const missing = rows
      .filter(row => row.state !== 'open')
      .flatMap(({ title, page, test }) => [
        ...(exists(page) ? [] : [`${title}: no page ${page}`]),
        ...(exists(test) && /\.test\.ts$/.test(test) ? [] : [`${title}: no test ${test}`])
      ])
    assert.deepEqual(missing, [])
  })
})

describe('the pages', () => {
  for (const page of ['../README.md', 'cli.md', 'tour.md', 'rows.md', 'language.md', 'decisions/README.md']) {
    it(`link to what exists: ${page}`, () => {
      const here = new URL(page, docs)
      const links = [...readFileSync(here, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!)
      assert.deepEqual(
        links.filter(link => !existsSync(fileURLToPath(new URL(link, here)))),
        []
      )
    })
  }
})

function rowsOf(text: string): Row[] {
  const lines = text.split('\n').filter(line => /^\|(?! *row \||-)/.test(line))
  return lines.map(line => {
    const [, title = '', state = '', page = '', test = ''] = line.split('|').map(cell => cell.trim())
    return { title, state, page: linkOf(page), test: linkOf(test) }
  })
}

function linkOf(cell: string): string {
  return /\]\(([^)]+)\)/.exec(cell)?.[1] ?? ''
}

function exists(link: string): boolean {
  return link !== '' && existsSync(fileURLToPath(new URL(link, docs)))
}
