import { type Fails, failsIn, type Row, type Staged, user } from './staged-logins.ts'

const failing = failsIn('facts')

/** A login whose shell is not one, or does not come to our command. */
const shellless = (staging: Staged, said: RegExp): Fails =>
  failing(staging, {
    code: 'no-shell',
    cause: new RegExp(`no shell took the command: ${said.source}`),
    cure: /`getent passwd [a-z]+`.*\.bashrc.*`command=` in authorized_keys, or ForceCommand in sshd_config/,
    input: 'user',
  })

/** The login worked, and no shell came of it. */
export const shellRows: readonly Row[] = [
  shellless(
    {
      what: 'the login shell nologin',
      prepare: user('nologin', 'usermod --shell /usr/sbin/nologin nologin'),
      inputs: { user: 'nologin' },
    },
    /it said "This account is currently not available"/,
  ),
  shellless(
    {
      what: 'the login shell /bin/false',
      prepare: user('falsely', 'usermod --shell /bin/false falsely'),
      inputs: { user: 'falsely' },
    },
    /it ended without a word/,
  ),
  shellless(
    {
      what: 'a forced command in authorized_keys',
      prepare: user('forced', `sed -i 's/^/command="echo 3 backups" /' /home/forced/.ssh/authorized_keys`),
      inputs: { user: 'forced' },
    },
    /it said "3 backups"/,
  ),
  shellless(
    { what: 'a login for SFTP only', sshd: 'ForceCommand internal-sftp' },
    /it said "This service allows sftp connections only"/,
  ),
  shellless(
    {
      what: 'a login file that ends the shell',
      prepare: user('ended', 'echo exit > /home/ended/.bashrc'),
      inputs: { user: 'ended' },
    },
    /it ended without a word/,
  ),
  failing(
    {
      what: 'a password that has expired',
      prepare: user('outdated', 'echo outdated:secret1 | chpasswd; chage --lastday 0 outdated'),
      inputs: { user: 'outdated' },
    },
    {
      code: 'password-expired',
      cause: /The login as outdated worked, but its password has expired/,
      cure: /Log in as outdated from a terminal and give a new one, or .*chage -M -1/,
      input: 'user',
    },
  ),
  failing(
    { what: 'MaxSessions 0', sshd: 'MaxSessions 0', told: /no more sessions/ },
    {
      code: 'exec-refused',
      cause: /the server did not start a command for this user: .*open failed/,
      cure: /MaxSessions/,
      input: 'user',
    },
  ),
]

const wrongPassword = {
  code: 'sudo-password-wrong',
  cause: /did not accept the password of asker/,
  cure: /Correct the secret that `sudo-password` is set from/,
  input: 'sudo-password',
}
const notAllowed = {
  code: 'sudo-not-allowed',
  cause: /does not let [a-z]+ run every command as root/,
  cure: /`usermod -aG sudo [a-z]+`.*or set `user`/,
  input: 'user',
}
const plain = user('plain', 'rm /etc/sudoers.d/plain; echo plain:secret1 | chpasswd')

/** From the login to root. */
export const rootRows: readonly Row[] = [
  failing(
    {
      what: 'sudo is absent',
      stage: () => 'mv /usr/bin/sudo /usr/bin/sudo.away',
      undo: 'mv /usr/bin/sudo.away /usr/bin/sudo',
    },
    {
      code: 'sudo-absent',
      cause: /The user keys is not root, and the server has no sudo/,
      cure: /Set `user` to root, or install sudo/,
      input: 'user',
    },
  ),
  failing(
    { what: 'sudo asks for a password, and none is given', inputs: { user: 'asker' } },
    {
      code: 'sudo-password-needed',
      cause: /asks asker for a password on the server, and none was given/,
      cure: /Set `sudo-password` from a secret.*`asker ALL=\(ALL:ALL\) NOPASSWD: ALL`/,
      input: 'sudo-password',
    },
  ),
  failing(
    { what: 'the wrong sudo password', inputs: { user: 'asker', 'sudo-password': 'battery staple' } },
    wrongPassword,
  ),
  failing(
    {
      what: 'requiretty',
      prepare: user('terminal', 'echo "Defaults:terminal requiretty" >> /etc/sudoers.d/terminal'),
      inputs: { user: 'terminal' },
    },
    {
      code: 'sudo-tty',
      cause: /serves terminals only \(`requiretty`\)/,
      cure: /Add `Defaults:terminal !requiretty` to the sudoers/,
      input: 'user',
    },
  ),
  failing(
    { what: 'not a sudoer', prepare: plain, inputs: { user: 'plain', 'sudo-password': 'secret1' } },
    notAllowed,
  ),
  failing(
    {
      what: 'a sudoer for one command only',
      prepare: user(
        'few',
        'echo "few ALL=(ALL) /usr/bin/systemctl" > /etc/sudoers.d/few; echo few:secret1 | chpasswd',
      ),
      inputs: { user: 'few', 'sudo-password': 'secret1' },
    },
    notAllowed,
  ),
  failing(
    {
      what: 'a sudo that is not set up',
      stage: () => 'chmod u-s /usr/bin/sudo',
      undo: 'chmod u+s /usr/bin/sudo',
    },
    {
      code: 'not-root',
      cause: /no program could be started as root: it said "sudo: \S+ must be owned by uid 0/,
      cure: /`sudo -v` as keys on the server.*or set `user` to root/,
      input: 'user',
    },
  ),
]

/** A small disk of its own over a folder, which is full. */
const full = (folder: string) => ({
  stage: () => `mkdir -p /run/small
    mount -t tmpfs -o size=64k tmpfs /run/small; mkdir /run/small/upper /run/small/work
    chmod --reference=${folder} /run/small/upper
    mount -t overlay -o lowerdir=${folder},upperdir=/run/small/upper,workdir=/run/small/work overlay ${folder}
    head -c 1000000 /dev/zero > ${folder}/rubbish 2>/dev/null || :`,
  undo: `umount --lazy ${folder} /run/small`,
})

/** Told when the facts are there. */
const unfit = (...[staging, said]: Parameters<typeof failing>): Fails => ({
  ...failing(staging, said),
  serving: '',
})

/** What root finds. */
export const diskRows: readonly Row[] = [
  unfit(
    { what: '/var is full', ...full('/var') },
    {
      code: 'disk',
      cause: /has 0 MB left in \/var, and a deploy may need \d+ MB there/,
      cure: /Free some space there on the server: `journalctl --vacuum-size=100M`/,
      input: 'host',
    },
  ),
  unfit(
    {
      what: '/tmp is full, and a package is to be installed',
      ...full('/tmp'),
      inputs: { packages: 'ncal' },
    },
    {
      code: 'disk',
      cause: /has 0 MB left in \/tmp, and to install what is missing may need \d+ MB there/,
      cure: /Free some space there on the server: `du -xh \/tmp/,
      input: 'host',
    },
  ),
  {
    what: '/tmp is full, and nothing is to be installed',
    ...full('/tmp'),
    says: /^result: planned/m,
    calls: 1,
  },
  unfit(
    { what: '/srv is full', ...full('/srv') },
    {
      code: 'disk',
      cause: /disk has 0 MB left, and a new release may need \d+ MB/,
      cure: /Free some space on the server, or set `keep-releases` to a smaller number/,
      input: 'keep-releases',
    },
  ),
  unfit(
    {
      what: 'a disk that is mounted read-only',
      stage: () =>
        'for folder in /etc /opt /srv /var; do mount --bind $folder $folder; mount -o remount,ro,bind $folder; done',
      undo: 'umount --lazy /etc /opt /srv /var',
    },
    {
      code: 'server-read-only',
      cause: /mounted read-only: nothing can be written to \/etc, \/opt, \/srv, \/var/,
      cure: /`dmesg \| tail`.*`mount -o remount,rw \/`/,
      input: 'host',
    },
  ),
]

/** The other sudo, of Ubuntu 26.04. */
export const sudoRsRows: readonly Row[] = [
  failing(
    {
      what: 'the wrong sudo password, sudo-rs',
      inputs: { user: 'asker', 'sudo-password': 'battery staple' },
    },
    wrongPassword,
  ),
  failing(
    { what: 'not a sudoer, sudo-rs', prepare: plain, inputs: { user: 'plain', 'sudo-password': 'secret1' } },
    notAllowed,
  ),
]
