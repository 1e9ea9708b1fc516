import assert from 'node:assert/strict'
import { openScreen } from '../../src/cli/screen.ts'
import { fakeIo } from '../fakes/io.ts'

describe('the screen', () => {
  it('only appends when it is no terminal', () => {
    const io = fakeIo()
    const screen = openScreen(io.stdout, io, () => ['running'])
    screen.print(['one'])
    screen.print([])
    screen.close()
    assert.equal(io.said.stdout, 'one\n')
  })

  it('keeps lines on a terminal, with what runs now below the last', () => {
    const { seen, screen, running } = terminal()
    running.push('step a')
    screen.print(['one'])
    running.push('step b')
    screen.print(['two'])
    assert.deepEqual(seen(), ['one', 'two', 'step a', 'step b'])
    running.length = 0
    screen.print(['three'])
    assert.deepEqual(seen(), ['one', 'two', 'three'])
  })

  it('leaves only the lines when it is closed', () => {
    const { seen, screen, running } = terminal()
    running.push('step a')
    screen.print(['one'])
    screen.close()
    assert.deepEqual(seen(), ['one'])
  })

  it('cuts what runs now to the width, since a wrapped line could not be erased', () => {
    const { seen, screen, running } = terminal(20)
    running.push('x'.repeat(50))
    screen.print([])
    screen.close()
    running.push('y')
    assert.deepEqual(seen(), [])
  })
})

/** A terminal that understands what the screen writes: text, newline, cursor up, clear below. */
function terminal(columns = 80) {
  const io = fakeIo({ env: { NO_COLOR: '1' } })
  const running: string[] = []
  const screen = openScreen({ write: text => io.stdout.write(text), isTTY: true, columns }, io, () => running)
  const seen = (): string[] => {
    const rows: string[] = []
    for (const part of io.said.stdout.split(/(\u001b\[\d+A\u001b\[J)/)) {
      const up = /^\u001b\[(\d+)A/.exec(part)
      if (up === null) rows.push(...part.split('\n').slice(0, -1))
      else rows.length -= Number(up[1])
    }
    assert.ok(rows.every(row => row.length < columns))
    return rows
  }
  return { seen, screen, running }
}
