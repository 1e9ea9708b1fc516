/** Command lines: commands, options, files, goals, ids. */
import { type Fault, goal } from './fault.ts'

const fine = goal('<variable name="port" type="int">80</variable><method><shell><send>true</send></shell></method>')
const failing = goal('<variable name="what">false</variable><method><shell><send><get>goal.what</get></send></shell></method>')

function words(name: string, given: readonly string[], reason: string, next: string, some: Partial<Fault> = {}): Fault {
  return { name, files: { 'x.xml': fine }, words: given, exit: 64, reason, next, ...some }
}

export const wrongCommands: readonly Fault[] = [
  words('a command mistyped', ['plna', 'x.xml', 'g'], 'there is no command plna; did you mean plan?', 'cloudburst plan x.xml g'),
  words('a command in capitals', ['Plan', 'x.xml', 'g'], 'did you mean plan?', 'cloudburst plan x.xml g'),
  words('a command of another tool', ['apply', 'x.xml', 'g'], 'there is no command apply', 'cloudburst --help', { looks: true }),
  words('an option mistyped', ['pursue', 'x.xml', 'g', '--narate'], 'did you mean --narrate?', 'cloudburst pursue x.xml g --narrate'),
  words('an option of another command', ['list', 'x.xml', '--retry'], 'list has no option --retry', 'cloudburst help list', {
    looks: true
  }),
  words('an option without its value', ['plan', 'x.xml', 'g', '--set'], '--set', 'cloudburst help plan', { looks: true }),
  words('a format mistyped', ['plan', 'x.xml', 'g', '-o', 'jsn'], 'did you mean json?', 'cloudburst plan x.xml g -o json'),
  words('no goal', ['plan', 'x.xml'], 'plan needs the name of a goal', 'cloudburst list x.xml', { looks: true }),
  words('two goals', ['plan', 'x.xml', 'g', 'h'], 'h is too many', 'cloudburst plan x.xml g'),
  words('a word after list', ['list', 'x.xml', 'g'], 'list takes no word g', 'cloudburst list x.xml'),
  words(
    'a peer for a file',
    ['plan', 'x.xml', 'g', '--peer', 'web'],
    'for a peer, load the file first or use --program FILE',
    'cloudburst help plan',
    { looks: true }
  ),
  words('a goal mistyped', ['plan', 'x.xml', 'gg'], 'did you mean g?', 'cloudburst plan x.xml g', { exit: 1 }),
  words('a file mistyped', ['plan', 'y.xml', 'g'], 'there is no file y.xml', 'cloudburst plan x.xml g', { exit: 1 }),
  words('a file mistyped with its directory', ['plan', './y.xml', 'g'], 'there is no file ./y.xml', 'cloudburst plan ./x.xml g', {
    exit: 1
  }),
  words('an assignment that is none', ['plan', 'x.xml', 'g', '--set', 'port'], 'is not PATH=VALUE', 'cloudburst help plan', {
    looks: true
  }),
  words('an id that is none', ['goal', '01J', 'x.xml'], 'there is no goal 01J', 'cloudburst goals', { exit: 1, looks: true }),
  words(
    'an agent mistyped',
    ['plan', 'x.xml', 'g', '--agent', 'kepper'],
    'did you mean keeper?',
    'cloudburst plan x.xml g --agent keeper',
    {
      exit: 1,
      files: { 'x.xml': fine.replace('</cloudburst>', '<agent name="keeper"/></cloudburst>') }
    }
  ),
  words(
    'a value of the agent for a goal',
    ['pursue', 'x.xml', 'g', 'agent.size=2'],
    'agent.size cannot be set for g: it is a value of the agent, which is given when keeper is started',
    'cloudburst list x.xml -o wide',
    {
      exit: 5,
      looks: true,
      files: { 'x.xml': fine.replace('</cloudburst>', '<agent name="keeper"><variable name="size">1</variable></agent></cloudburst>') }
    }
  ),
  words('strict without a file', ['plan', 'g', '--strict'], '--strict is for programs given as files', 'cloudburst help plan', {
    looks: true
  }),
  words('a goal that failed', ['pursue', 'x.xml', 'g'], 'suspended: exited with 1', 'cloudburst repair', {
    exit: 3,
    files: { 'x.xml': failing },
    fill: { 'goal.what': 'true' }
  }),
  words('a goal that failed for execute', ['execute', 'x.xml', 'g'], 'suspended: exited with 1', 'cloudburst repair', {
    exit: 3,
    files: { 'x.xml': failing },
    fill: { 'goal.what': 'true' }
  }),
  words(
    'a value that a shell would take apart, pursued',
    ['pursue', 'x.xml', 'g', 'goal.what=a;b'],
    'which a shell would not take as plain text',
    'cloudburst repair',
    {
      exit: 3,
      files: { 'x.xml': failing },
      fill: { 'goal.what': 'true' }
    }
  )
]
