import assert from 'node:assert/strict'
import { applyEdits, type Edit } from '../../../src/goals/pursuit/file-edits.ts'
import { stage } from './stage.ts'

const place = { file: 'x.xml', line: 1, col: 1 }
const edit = (kind: Edit['kind'], pattern: string, text = '', first = false): Edit => ({ kind, pattern, text, first, place })
const goal = (body: string, variables = ''): string => `<goalProto name="g">${variables}<method name="m">${body}</method></goalProto>`

describe('edits of a text', () => {
  const cases: readonly [string, string, readonly Edit[], string][] = [
    ['replaces all that matches', 'a=1\nb=1\n', [edit('replace', '=1$', '=2')], 'a=2\nb=2\n'],
    ['replaces the first that matches', 'a=1\na=1\n', [edit('replace', '^a=1$', 'a=2', true)], 'a=2\na=1\n'],
    ['uses groups', 'Port 22\n', [edit('replace', '^(Port) \\d+$', '$1 2222')], 'Port 2222\n'],
    ['inserts behind the first line that matches', 'a\nb\na\n', [edit('insertAfter', '^a$', '\n  x\n')], 'a\n  x\nb\na\n'],
    ['inserts two blocks behind one line', 'a\n', [edit('insertAfter', '^a$', 'x'), edit('insertAfter', '^a$', 'y')], 'a\ny\nx\n'],
    ['inserts before', 'a\nb\n', [edit('insertBefore', '^b$', 'x')], 'a\nx\nb\n'],
    ['appends to a file without a last line end', 'a', [edit('append', '', 'b')], 'a\nb\n'],
    ['prepends', 'a\n', [edit('prepend', '', '#!')], '#!\na\n'],
    ['takes lines away', 'a\n# b\nc\n', [edit('remove', '^#')], 'a\nc\n'],
    ['keeps the line ends of the file', 'a\r\n', [edit('append', '', 'b\nc')], 'a\r\nb\r\nc\r\n'],
    ['leaves an empty pattern match alone', '', [edit('append', '', 'a')], 'a\n']
  ]
  for (const [says, before, edits, after] of cases) {
    it(`${says}, and the second time changes nothing`, () => {
      assert.deepEqual(applyEdits(before, edits), { text: after })
      assert.deepEqual(applyEdits(after, edits), { text: after })
    })
  }

  it('refuses a replacement that would grow each time', () => {
    const result = applyEdits('foo\n', [edit('replace', 'foo', 'foobar')])
    assert.match('problem' in result ? result.problem : '', /would change the file each time/)
  })

  it('says that there is no line to insert at', () => {
    const result = applyEdits('foo\n', [edit('insertAfter', '^bar$', 'x')])
    assert.match('problem' in result ? result.problem : '', /finds no line that matches \^bar\$/)
  })
})

describe('an editFile', () => {
  const xml = goal(
    '<editFile name="e" path="/etc/app.conf"><replace pattern="^port=${goal.was}$">port=<get>goal.port</get></replace></editFile>',
    '<variable name="was">8.0</variable><variable name="port">$1</variable>'
  )

  it('changes the file, takes values literally, and says what changed', async () => {
    const s = stage({ goal: 'g', xml, texts: { '/etc/app.conf': 'port=8.0\nport=8x0\n' } })
    assert.equal(await s.go(), 'completed')
    assert.equal(s.files.get('/etc/app.conf'), 'port=$1\nport=8x0\n')
    assert.match(s.bodies('step-began')[0]?.show ?? '', /^edit \/etc\/app\.conf \(\+1 -1\)$/)
    assert.equal(s.bodies('step-ended')[0]?.note, '--- /etc/app.conf\n+++ /etc/app.conf\n@@ -1,1 +1,1 @@\n-port=8.0\n+port=$1')
  })

  it('leaves a file alone that is as it should be', async () => {
    const s = stage({ goal: 'g', xml, texts: { '/etc/app.conf': 'port=1\n' } })
    assert.equal(await s.go(), 'completed')
    assert.equal(s.files.get('/etc/app.conf'), 'port=1\n')
    assert.match(s.bodies('step-ended')[0]?.note ?? '', /is as it should be/)
  })

  it('of a file that is not there fails, unless it may create it', async () => {
    const missing = stage({ goal: 'g', xml })
    assert.equal(await missing.go(), 'suspended')
    assert.match(missing.bodies('suspended')[0]?.reason ?? '', /there is no file \/etc\/app\.conf/)
    const made = stage({ goal: 'g', xml: goal('<editFile path="/n" create="true"><append>a</append></editFile>') })
    assert.equal(await made.go(), 'completed')
    assert.equal(made.files.get('/n'), 'a\n')
  })

  it('tells neither a secret nor what it replaces', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(
        '<editFile path="/f"><replace pattern="^key=.*$">key=<get>goal.key</get></replace></editFile>',
        '<variable name="key" type="password">hush</variable>'
      ),
      texts: { '/f': 'key=old\n' }
    })
    assert.equal(await s.go(), 'completed')
    assert.equal(s.files.get('/f'), 'key=hush\n')
    assert.doesNotMatch(JSON.stringify(s.events.filter(event => event.body.type.startsWith('step'))), /hush|old/)
  })
})
