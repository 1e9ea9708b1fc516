/** Commands for who may do what. */
import type { Verbs } from './spec.ts'

export const trust: Verbs = {
  authority: {
    summary: 'make an authority, certify people and nodes, take it back',
    usage: 'init NAME | certify NAME EMAIL --key PEER | revoke NAME WHO | export NAME',
    options: ['key', 'capability', 'program', 'goal', 'var', 'on', 'concurrent', 'lifetime', 'fresh', 'renew'],
    example: 'authority certify ops alice@example.org --key 12D3KooW… --capability goal:dispatch --goal deploy --on role=web',
    load: () => import('../commands/authority.ts')
  },
  grant: {
    summary: 'grants that this node holds; take one in, hand part of one on, take that back',
    usage: 'show | add FILE|- | delegate EMAIL --key PEER | handed | revoke WHO',
    options: ['key', 'capability', 'program', 'goal', 'var', 'on', 'concurrent', 'lifetime'],
    example: 'grant delegate bob@example.org --key 12D3KooW… --capability goal:dispatch --lifetime 30m',
    completes: 'files',
    load: () => import('../commands/grant.ts')
  },
  permissions: {
    summary: 'who may do what here, and why; check permissions.xml',
    usage: 'show --effective WHO | why WHO CAPABILITY [GOAL] | test | lint',
    options: ['effective', 'program', 'var'],
    example: 'permissions why alice@example.org goal:dispatch deploy',
    load: () => import('../commands/permissions.ts')
  },
  identity: {
    summary: 'the keys of this node and its person; a new key for it',
    usage: 'show | rotate',
    options: ['person'],
    example: 'identity show',
    load: () => import('../commands/identity.ts')
  },
  audit: {
    summary: 'what this node has allowed and denied; whether that log is whole',
    usage: '[verify | export [FILE]]',
    options: ['follow', 'denied', 'limit'],
    example: 'audit --denied',
    load: () => import('../commands/audit.ts')
  },
  'sign-in': {
    summary: 'a code to sign in with at the control API over the network',
    usage: '',
    options: [],
    example: 'sign-in',
    load: () => import('../commands/sign-in.ts')
  }
}
