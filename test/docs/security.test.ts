import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/security.md'), 'utf8')

/** The tests that would have found each, by a file and words of its title; they stand where what they try stands. */
const lessons: Readonly<Record<string, readonly (readonly [file: string, title: string])[]>> = {
  'Salt CVE-2020-11651': [
    ['test/matrix/matrix.test.ts', 'let nobody in but with a permit'],
    ['test/system/doors.test.ts', 'serves the protocols of its table and no other']
  ],
  'Salt CVE-2020-11652': [['test/node/runner/step-directory.test.ts', 'touch nothing outside of it']],
  'Salt CVE-2020-16846': [
    ['test/language/values.test.ts', 'that a shell would take apart are refused unquoted'],
    ['test/language/prefixes.test.ts', 'is not seen by any local shell, and neither is what is sent']
  ],
  'Salt CVE-2020-25592': [['test/matrix/matrix.test.ts', 'have in their row all that ${verb} asks of a node']],
  'Salt CVE-2022-22936': [
    ['test/protocols/dispatch/server.test.ts', 'is answered again, not run again, when the same request comes twice'],
    ['test/matrix/matrix.ts', "'replaying'"]
  ],
  'Salt CVE-2022-22967': [
    ['test/node/mesh.test.ts', 'ends open channels when their permit is removed, saying why, and lets nothing more through'],
    ['test/node/permissions/spreading.test.ts', 'refuse at once whoever it has taken them back from']
  ],
  'Salt CVE-2016-9639': [
    ['test/matrix/layers.ts', 'a permit of another key does not'],
    ['test/node/permissions/rights.test.ts', 'belongs to the key that it names, whoever shows it']
  ],
  'Salt CVE-2024-38825': [
    ['test/node/permissions/spreading.test.ts', 'do not let in whoever shows the grant of somebody else'],
    ['test/matrix/matrix.ts', "'by a grant of somebody else'"]
  ],
  'Ansible CVE-2016-9587': [
    ['test/goals/render/escape.test.ts', 'holds no control character, whatever it was'],
    ['test/language/no-effect.test.ts', 'writes no file, and starts nothing but pure shells']
  ],
  'Nomad CVE-2021-37218': [['test/matrix/matrix.ts', "'without the capability'"]],
  'Nomad CVE-2023-1782': [
    ['test/matrix/signed-layers.ts', 'whoever is asked for needs a right too'],
    ['test/matrix/effect-layers.ts', 'is not done for whoever may not, at the effect'],
    ['test/system/trust.test.ts', 'does not repair or cancel there for whoever may not']
  ],
  'Nomad CVE-2020-7218': [
    ['test/system/hostile-peer.test.ts', 'is reached within two seconds past two hundred silent sockets'],
    ['test/node/mesh/admission.test.ts', 'drops the oldest silent connection of an address that has too many'],
    ['test/system/hostile-memory.test.ts', 'grows little by ${FRAMES} hostile frames']
  ],
  'Jenkins CVE-2024-23897': [
    ['test/system/secrets.test.ts', 'of this node cannot be named by another'],
    ['test/fuzz/fuzz.test.ts', 'do no harm to ${name}']
  ],
  'Rundeck CVE-2021-39133': [['test/node/control/secure.test.ts', 'does nothing for a request ${what}']],
  'Rundeck CVE-2022-29186': [['test/scripts/no-keys.test.ts', 'holds no private key']],
  'Rundeck CVE-2022-31044': [
    ['test/system/planted.test.ts', 'finds what a test planted everywhere but in sealed files'],
    ['test/node/files/file-safety.test.ts', 'is refused when others may read ${what}']
  ],
  'Tailscale TS-2025-007': [
    ['test/node/joining/tickets.test.ts', 'is used by exactly one of fifty at once'],
    ['test/node/control/secure.test.ts', 'takes a code once, whoever hurries']
  ],
  'cosign CVE-2022-35929': [['test/crypto/dsse.test.ts', 'is refused as another type, and when it is too long']],
  'Nebula 1600': [['test/node/permissions/rights.test.ts', 'is gone however its envelope is written']],
  'Nomad CVE-2025-4922': [['test/node/permissions/decide.test.ts', 'is the union of all permits, whatever their order']]
}

/** Cells of the rows of a table, by the heading that it stands under. */
function rowsUnder(heading: string): string[][] {
  const text = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = text.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim())
  )
}

function filesLinked(cell: string): string[] {
  return [...cell.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => join('docs', link!))
}

describe('docs/security.md', () => {
  const learnt = rowsUnder('Twenty lessons')

  it('has twenty lessons', () => {
    assert.equal(learnt.length, 20)
    assert.equal(Object.keys(lessons).length, 20)
  })

  for (const [lesson, tests] of Object.entries(lessons)) {
    const row = learnt.find(([what = '']) => what.startsWith(`${lesson}:`) || what.startsWith(`${lesson},`))
    it(`has a test for what went wrong in ${row?.[0] ?? lesson}`, () => {
      assert.ok(row !== undefined, 'it is not on the page')
      const linked = filesLinked(row[1]!).map(dirname)
      for (const [file, title] of tests) {
        assert.ok(readFileSync(join(root, file), 'utf8').includes(title), `${file} has no ${title}`)
        assert.ok(linked.includes(dirname(file)), `the page does not lead to ${file}`)
      }
    })
  }

  it('names the test of each defect that was found, and of each promise', () => {
    const found = rowsUnder('Found so far')
    assert.ok(found.length >= 10)
    const missing = [...found, ...learnt].flatMap(row => {
      const files = filesLinked(row.at(-1)!)
      return files.length > 0 && files.every(file => existsSync(join(root, file))) ? [] : [row[0]]
    })
    assert.deepEqual(missing, [])
    const promised = page.split('\n## Promised\n')[1]!.split('\n## ')[0]!
    for (const line of promised.split('\n').filter(each => each.startsWith('- '))) {
      const files = filesLinked(line)
      assert.ok(files.length > 0 && files.every(file => existsSync(join(root, file))), line)
    }
  })
})
