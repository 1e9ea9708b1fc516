import { capabilities, type Capability } from '../../crypto/capability.ts'
import { attributesText } from '../../goals/program/write-xml.ts'

/** The authority that stands for the owner of a permissions.xml itself. */
export const LOCAL_AUTHORITY = 'local'

/** One `<permit>` to be written. */
export interface NewPermit {
  readonly email: string
  readonly peer: string
  readonly capabilities: readonly Capability[]
  /** ISO 8601 interval or duration. */
  readonly lifetime: string
  readonly authority?: string
  readonly programs?: readonly string[]
  readonly goals?: readonly string[]
  readonly vars?: readonly string[]
}

/** A commented permissions.xml that permits nobody. */
export function permissionsText(): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Who may do what on this node. Whoever is not named here may do nothing; without this file that is everybody.
     Only you may be able to write this file and the directories above it. It is read again when it changes,
     and what a removed permit allowed ends at once. -->
<permissions>
  <!-- Whose word counts. "${LOCAL_AUTHORITY}" is you, the owner of this file. -->
  <authority name="${LOCAL_AUTHORITY}"/>

  <!-- An authority with a key signs grants, which end by themselves and can be taken back everywhere at once; it can grant no more
       than this. "cloudburst authority init ops" makes one and prints the line; docs/permissions.md walks through it.
         <authority name="ops" key="12D3KooW..." capability="agency:hello goal:dispatch" lifetime="P7D"/> -->

  <!-- One permit: somebody with this e-mail address, bound to the key of one node, may do these things this long.
         <permit authority="${LOCAL_AUTHORITY}" email="ops@example.org" peer="12D3KooW..."
                 capability="agency:hello agency:inspect state:read inventory:read"
                 lifetime="2026-01-01T00:00:00Z/2027-01-01T00:00:00Z"/>
       lifetime: from/until as above, from/P90D, or PT8H for the longest session.
       programs, goals, vars, on: names or program hashes separated by spaces; without them, all.
       capability: one or several of
         ${capabilities.join('\n         ')}
       program:load together with goal:dispatch is as good as a shell here; node:shell says so openly. -->

  <!-- What has to be so whatever is changed: a version of this file that breaks one of these is refused.
         <tests>
           <deny who="*" capability="node:shell permission:admin"/>
         </tests> -->
</permissions>
`
}

/** The lines of one `<permit>` element. */
export function permitLines(permit: NewPermit): string[] {
  const { authority, email, peer, lifetime, programs, goals, vars } = permit
  const who = attributesText({ authority: authority ?? LOCAL_AUTHORITY, email, peer })
  const what = attributesText({
    capability: permit.capabilities.join(' '),
    programs: programs?.join(' '),
    goals: goals?.join(' '),
    vars: vars?.join(' ')
  })
  return [`<permit${who}`, `       ${what}`, `       ${attributesText({ lifetime })}/>`]
}
