/**
 * Ten everyday jobs, each with a fault that shows at a late step, and what a person does about it.
 * `{d}` stands for the directory of the job, `{v}` for the one value that may be wrong; commands may be run again.
 */
export interface Step {
  readonly name: string
  readonly run: string
}

export interface Job {
  readonly name: string
  readonly steps: readonly Step[]
  /** What `{v}` is at first. */
  readonly wrong: string
  /** What it is to be. */
  readonly right: string
  /** What else has to be done by hand before the job can go on. */
  readonly byHand?: string
  /** Holds when the job was done as it should be. */
  readonly result: string
}

const steps = (all: Readonly<Record<string, string>>): readonly Step[] => Object.entries(all).map(([name, run]) => ({ name, run }))

export const jobs: readonly Job[] = [
  {
    name: 'install-service',
    wrong: '80800',
    right: '8080',
    steps: steps({
      unpack: `mkdir -p {d}/app && printf '#!/bin/sh\\necho serving\\n' > {d}/app/served && chmod +x {d}/app/served`,
      account: `echo 'served:x:900:900::/:/bin/false' > {d}/app/passwd`,
      configure: 'echo port={v} > {d}/app/conf',
      start: '{d}/app/served > {d}/app/out',
      check: `grep -Ewq 'port=[0-9]{1,4}' {d}/app/conf`,
      enable: 'touch {d}/app/enabled'
    }),
    result: 'grep -x port=8080 {d}/app/conf && test -e {d}/app/enabled'
  },
  {
    name: 'build-and-release',
    wrong: 'math',
    right: 'm',
    steps: steps({
      source: `printf 'double root(double); int main(void) { return root(4) != 2; }\\n' > {d}/main.c && printf '#include <math.h>\\ndouble root(double x) { return sqrt(x); }\\n' > {d}/root.c`,
      'compile-main': 'cc -c {d}/main.c -o {d}/main.o',
      'compile-root': 'cc -c {d}/root.c -o {d}/root.o',
      link: 'cc {d}/main.o {d}/root.o -l{v} -o {d}/prog',
      test: '{d}/prog',
      release: 'tar -C {d} -cf {d}/release.tar prog'
    }),
    result: 'tar -tf {d}/release.tar'
  },
  {
    name: 'rotate-key',
    wrong: 'keyring',
    right: 'keys',
    steps: steps({
      prepare: 'mkdir -p {d}/keys',
      generate: 'openssl genpkey -algorithm ed25519 -out {d}/new.pem',
      public: 'openssl pkey -in {d}/new.pem -pubout -out {d}/new.pub',
      'try-out': 'openssl pkey -pubin -in {d}/new.pub -noout',
      install: 'cp {d}/new.pub {d}/{v}/current.pub',
      revoke: 'rm -f {d}/old.pub'
    }),
    result: 'cmp {d}/new.pub {d}/keys/current.pub'
  },
  {
    name: 'restore-backup',
    wrong: 'account',
    right: 'accounts',
    steps: steps({
      fetch: `printf 'create table accounts(name);\\ninsert into accounts values(1),(2);\\n' > {d}/dump.sql && gzip -kf {d}/dump.sql`,
      verify: 'gzip -t {d}/dump.sql.gz',
      unpack: 'gzip -dc {d}/dump.sql.gz > {d}/restored.sql',
      import: 'rm -f {d}/db && sqlite3 {d}/db < {d}/restored.sql',
      count: `sqlite3 {d}/db 'select count(*) from '{v} > {d}/count`,
      announce: 'cp {d}/count {d}/announced'
    }),
    result: 'grep -x 2 {d}/announced'
  },
  {
    name: 'rolling-config',
    wrong: 'warn',
    right: 'warn',
    byHand: 'mkdir -p {d}/n4',
    steps: steps({
      prepare: 'mkdir -p {d}/n1 {d}/n2 {d}/n3 {d}/n5 && echo level={v} > {d}/new.conf',
      n1: 'cp {d}/new.conf {d}/n1/app.conf',
      n2: 'cp {d}/new.conf {d}/n2/app.conf',
      n3: 'cp {d}/new.conf {d}/n3/app.conf',
      n4: 'cp {d}/new.conf {d}/n4/app.conf',
      n5: 'cp {d}/new.conf {d}/n5/app.conf'
    }),
    result: 'cmp {d}/n4/app.conf {d}/new.conf && cmp {d}/n5/app.conf {d}/new.conf'
  },
  {
    name: 'migrate-database',
    wrong: 'nam',
    right: 'name',
    steps: steps({
      create: `rm -f {d}/db && sqlite3 {d}/db 'create table t(name text); insert into t values("ann"),("bob")'`,
      backup: 'cp {d}/db {d}/db.bak',
      'add-column': `sqlite3 {d}/db 'alter table t add column big text'`,
      fill: `sqlite3 {d}/db 'update t set big=upper('{v}')'`,
      index: `sqlite3 {d}/db 'create index big on t(big)'`,
      check: `sqlite3 {d}/db 'select big from t' | grep -qx ANN`
    }),
    result: `sqlite3 {d}/db 'select big from t' | grep -qx BOB`
  },
  {
    name: 'publish-site',
    wrong: 'htp://example.org',
    right: 'http://example.org',
    steps: steps({
      assets: 'mkdir -p {d}/site && echo body > {d}/site/style.css',
      text: 'echo text > {d}/site/text.html',
      pages: 'echo {v}/text.html > {d}/site/index.html',
      'small-assets': 'gzip -kf {d}/site/style.css',
      links: 'grep -q ^http: {d}/site/index.html',
      publish: 'rm -rf {d}/public && cp -r {d}/site {d}/public'
    }),
    result: 'grep -q ^http: {d}/public/index.html'
  },
  {
    name: 'users-and-keys',
    wrong: '/bin/bsh',
    right: '/bin/sh',
    steps: steps({
      ann: 'mkdir -p {d}/home/ann && echo ssh-ed25519 A > {d}/home/ann/keys',
      bob: 'mkdir -p {d}/home/bob && echo ssh-ed25519 B > {d}/home/bob/keys',
      modes: 'chmod 700 {d}/home/ann {d}/home/bob && chmod 600 {d}/home/ann/keys {d}/home/bob/keys',
      accounts: 'echo ann:{v} > {d}/passwd && echo bob:{v} >> {d}/passwd',
      groups: 'echo staff:ann,bob > {d}/group',
      check: 'cut -d: -f2 {d}/passwd | xargs -n1 test -x',
      sudo: `echo '%staff ALL=(ALL) ALL' > {d}/sudoers`
    }),
    result: 'grep -qx bob:/bin/sh {d}/passwd && test -e {d}/sudoers'
  },
  {
    name: 'renew-certificate',
    wrong: 'www.example.com',
    right: 'www.example.org',
    steps: steps({
      authority: 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout {d}/ca.key -out {d}/ca.pem',
      key: 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {d}/www.key',
      sign: 'openssl req -new -key {d}/www.key -subj /CN={v} | openssl x509 -req -CA {d}/ca.pem -CAkey {d}/ca.key -CAcreateserial -out {d}/www.pem',
      'old-away': 'rm -f {d}/old.pem',
      check: 'openssl x509 -in {d}/www.pem -noout -subject | grep -q www.example.org',
      install: 'cp {d}/www.pem {d}/live.pem'
    }),
    result: 'openssl x509 -in {d}/live.pem -noout -subject | grep -q www.example.org'
  },
  {
    name: 'log-rotation',
    wrong: 'weeky',
    right: 'weekly',
    steps: steps({
      directory: 'mkdir -p {d}/log {d}/conf.d',
      logs: 'echo line > {d}/log/app.log',
      owner: 'chmod 640 {d}/log/app.log',
      configure: 'echo {v} > {d}/conf.d/app',
      'first-turn': 'cp {d}/log/app.log {d}/log/app.log.1',
      check: `grep -Exq 'daily|weekly|monthly' {d}/conf.d/app`,
      enable: 'touch {d}/conf.d/enabled'
    }),
    result: 'grep -qx weekly {d}/conf.d/app && test -e {d}/conf.d/enabled'
  }
]

/** The first step that a wrong value has reached: what was done from there on may have to be done again. */
export function firstTouched({ steps: all }: Job): string {
  return (all.find(({ run }) => run.includes('{v}')) ?? all[0])!.name
}
