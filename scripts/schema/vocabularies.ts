/** The three kinds of XML files that are ours. */
import { capabilities } from '../../src/crypto/capability.ts'
import type { AttributeSpec, ElementSpec } from '../../src/goals/program/element-spec.ts'
import { commonAttributeSpecs, elementSpecs } from '../../src/goals/program/elements.ts'
import { childrenOf } from '../../src/goals/program/vocabulary.ts'
import type { Vocabulary } from './xsd.ts'

/** Programs. Where statements or conditions stand, so may a sub-goal by its own name. */
export const program: Vocabulary = {
  title: 'A program of cloudburst: goals, methods and state.',
  elements: elementSpecs,
  childrenOf,
  open: name => elementSpecs[name]?.goals === true || (elementSpecs[name]?.holds?.includes('statement') ?? false),
  common: commonAttributeSpecs
}

const text = (meaning: string): AttributeSpec => ({ type: 'text', meaning })
const needed = (meaning: string): AttributeSpec => ({ type: 'text', required: true, meaning })
const address = (meaning: string): ElementSpec => ({ as: [], text: 'text', meaning })
const peerId = 'peer id of a node: 12D3KooW…'

/** neighborhood.xml; read by src/node/neighborhood/read.ts. */
export const neighborhood: Vocabulary = closed('Who is near: this node, and the nodes it keeps a connection to.', {
  neighborhood: { as: [], meaning: 'the root', holds: ['node', 'encryption', 'control', 'mdns', 'peer'] },
  node: {
    as: [],
    meaning: 'this node',
    holds: ['label', 'listen', 'announce'],
    attributes: { name: needed('what others call this node') }
  },
  label: {
    as: [],
    meaning: 'by which nodes are selected: `role=web`',
    attributes: { name: needed('its key'), value: needed('its value') }
  },
  listen: address('multiaddr to listen on: `/ip4/0.0.0.0/tcp/4710`'),
  announce: address('multiaddr to tell others instead: `/dns4/node1.example.org/tcp/4710`'),
  encryption: {
    as: [],
    meaning: 'what every connection must have',
    attributes: { required: { type: ['noise'], required: true, meaning: 'nothing else is offered' } }
  },
  control: {
    as: [],
    meaning: 'where the control API is served over TLS 1.3, to whoever signs in',
    attributes: {
      listen: needed('multiaddr with a number: `/ip4/0.0.0.0/tcp/4711`'),
      hosts: { type: 'text', meaning: 'further names by which browsers reach it, separated by blanks' }
    }
  },
  mdns: {
    as: [],
    meaning: 'whether nodes of the same network find each other',
    attributes: {
      enabled: { type: 'flag', default: 'true', meaning: 'look for others, and be found' },
      announce: { type: 'flag', default: 'true', meaning: 'be found: peer id and addresses, nothing else' },
      service: { type: 'text', default: '_cloudburst._udp.local', meaning: 'mDNS service that nodes of one neighborhood ask for' }
    }
  },
  peer: {
    as: [],
    meaning: 'a node to stay connected with',
    holds: ['address'],
    attributes: { name: needed('what it is called here'), id: needed(peerId) }
  },
  address: address('multiaddr at which it is dialled')
})

/** permissions.xml; read by src/node/permissions/read.ts. */
export const permissions: Vocabulary = closed('Who may do what on this node.', {
  permissions: { as: [], meaning: 'the root', holds: ['authority', 'permit', 'tests'] },
  authority: {
    as: [],
    meaning: 'whose word counts',
    attributes: {
      name: needed('what permits call it'),
      key: text(`key that signs its grants: ${peerId}`),
      capability: text('the most that its grants may allow; without it they need a permit'),
      lifetime: text('longest life of its grants and sessions: ISO 8601 duration'),
      ...bounds()
    }
  },
  permit: {
    as: [],
    meaning: 'somebody may do these things this long',
    attributes: {
      authority: needed('name of an authority of this file'),
      email: needed('who'),
      capability: needed(`one or several of: ${capabilities.join(', ')}`),
      lifetime: needed('ISO 8601 interval, or duration that bounds each session and grant'),
      peer: text(`binds the e-mail to a key: ${peerId}`),
      ...bounds()
    }
  },
  tests: { as: [], meaning: 'what has to be so whatever is changed', holds: ['allow', 'deny'] },
  allow: { as: [], meaning: 'a permit has to say so', attributes: tested() },
  deny: { as: [], meaning: 'nothing may say so, nor may an authority grant it', attributes: tested() }
})

function bounds(): NonNullable<ElementSpec['attributes']> {
  return {
    programs: text('hashes of programs, or names that its owner gave them; all unless given'),
    goals: text('names of goals; all unless given'),
    vars: text('names of variables; all unless given'),
    on: text('nodes where it holds: names, peer ids, labels such as `role=web`; all unless given'),
    concurrent: text('most goals that its holder may have open at a time'),
    fresh: text('the authority must have been heard of within this ISO 8601 duration, at least `PT5M`')
  }
}

function tested(): NonNullable<ElementSpec['attributes']> {
  return {
    who: needed('e-mail address, peer id, or `*` for anybody'),
    capability: needed(`one or several of: ${capabilities.join(', ')}`),
    program: text('hash or name of a program'),
    goal: text('name of a goal'),
    vars: text('names of variables')
  }
}

function closed(title: string, elements: Readonly<Record<string, ElementSpec>>): Vocabulary {
  return { title, elements, childrenOf: name => elements[name]?.holds ?? [], open: () => false, common: {} }
}
