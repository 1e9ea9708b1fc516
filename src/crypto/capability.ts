/** What a peer or person may be allowed to do. A closed list: a permit with any other word is refused. */
export const capabilities = [
  'agency:hello',
  'agency:inspect',
  'program:load',
  'agent:start',
  'agent:control',
  'goal:plan',
  'goal:dispatch',
  'goal:repair',
  'node:shell',
  'state:read',
  'inventory:read',
  'node:deliver',
  'permission:admin'
] as const

export type Capability = (typeof capabilities)[number]
