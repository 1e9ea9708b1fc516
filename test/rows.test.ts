import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
  for (const page of ['../README.md', ...pages]) {
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

describe('the programs that ship', () => {
  it('are all told of on their page', () => {
    const page = readFileSync(new URL('programs/README.md', docs), 'utf8')
    const names = readdirSync(new URL('../programs', docs)).filter(name => name.endsWith('.xml'))
    assert.deepEqual(
      names.filter(name => !new RegExp(`^\\| (?:\\[)?${name.slice(0, -4)}\\b`, 'm').test(page)),
      []
    )
  })
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
