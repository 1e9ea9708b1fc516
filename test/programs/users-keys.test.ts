import assert from 'node:assert/strict'
import { inSandbox, needSandbox } from './sandbox.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB ann@laptop'
const OTHER = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC ann@desk'

describe('users-keys.xml', function () {
  this.timeout(60_000)
  before(function () {
    needSandbox(this)
  })

  it('makes an account and lets its key in, once', async () => {
    const { stdout, stderr } = await inSandbox(`
      person() { cloudburst pursue users-keys.xml person goal.name=ann "goal.key=$1"; echo "exit $?"; }
      person '${KEY}'; person '${KEY}'; person '${OTHER}'
      getent passwd ann; stat -c '%U %a %n' ~ann/.ssh ~ann/.ssh/authorized_keys; cat ~ann/.ssh/authorized_keys`)
    const runs = stdout.split(/^exit 0$/m)
    assert.equal(runs.length, 4, stdout + stderr)
    assert.match(runs[0]!, /useradd .*\n.*make \.ssh.*\n.*add the key\ncompleted: 3 done/)
    assert.match(runs[1]!, /completed: 0 done/, 'the second run finds everything as it is to be')
    assert.match(runs[2]!, /completed: 2 done/)
    assert.match(runs[3]!, /ann:.*:\/bin\/sh\nann 700 .*\nann 600 /)
    assert.ok(runs[3]!.endsWith(`${KEY}\n${OTHER}\n`), runs[3])
  })

  it('takes a key away and leaves the others', async () => {
    const { exit, stdout } = await inSandbox(`
      for key in '${KEY}' '${OTHER}'; do cloudburst pursue users-keys.xml person goal.name=ann "goal.key=$key" >/dev/null; done
      cloudburst pursue users-keys.xml withdrawKey goal.name=ann 'goal.key=${KEY}' >/dev/null && cat ~ann/.ssh/authorized_keys`)
    assert.equal(exit, 0)
    assert.equal(stdout, `${OTHER}\n`)
  })

  it('brings in a whole team that a file of ones own lists', async () => {
    const { exit, stdout, stderr } = await inSandbox(`
      cat > team.xml <<'END'
<cloudburst name="team">
  <include file="users-keys.xml"/>
  <list name="team">
    <struct type="Person"><variable name="name">bob</variable><variable name="key">ssh-ed25519 AAAB bob</variable></struct>
    <struct type="Person"><variable name="name">eve</variable><variable name="key">ssh-ed25519 AAAC eve</variable><variable name="shell">/bin/bash</variable></struct>
  </list>
</cloudburst>
END
      cloudburst pursue team.xml people >/dev/null && getent passwd bob eve | cut -d: -f1,7 && cat ~bob/.ssh/authorized_keys ~eve/.ssh/authorized_keys`)
    assert.equal(exit, 0, stdout + stderr)
    assert.equal(stdout, 'bob:/bin/sh\neve:/bin/bash\nssh-ed25519 AAAB bob\nssh-ed25519 AAAC eve\n')
  })

  it('writes nothing for a line that is no key', async () => {
    const { stdout } = await inSandbox(`
      useradd --create-home ann
      for key in rubbish 'command="x" ssh-ed25519 AAAB' $'ssh-ed25519 AAAB a\\nssh-ed25519 AAAC b'; do
        cloudburst pursue users-keys.xml authorisedKey goal.name=ann "goal.key=$key" >/dev/null; echo "exit $?"
      done; ls ~ann/.ssh 2>&1`)
    assert.match(stdout, /^exit 5\nexit 5\nexit 5\nls: cannot access/)
  })
})
