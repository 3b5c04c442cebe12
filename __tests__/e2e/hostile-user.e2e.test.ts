import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import {
  aimless,
  attackAs,
  attackOnceAs,
  expectUnharmed,
  hardLinks,
  judge,
  leaveOpen,
  victim,
} from './attacks.ts'
import { runs } from './runs.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`a hostile user of the server ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('reads, reaches and blocks nothing of ours, before, during and after every kind of deploy', async () => {
    server = await boot({ suite: 'bookworm' })
    const { must } = server
    // A service manager of her own; shared memory that is soon full.
    await must(`useradd --create-home --shell /bin/bash mallory
      systemctl start "user@$(id -u mallory).service"
      mount -o remount,nr_inodes=2000 /dev/shm`)
    const open = '/var/attack/open'
    await leaveOpen(server, open)
    const attack = attackAs(server, 'mallory', '/home/mallory/siege', open)
    // A test that fails before it ends the attack says why by itself.
    attack.catch(() => {})

    const project = victim.project()
    const { good, bad } = runs(server, project.folder, victim.inputs, victim.repository)
    const first = await good()
    const links = await hardLinks(server, first.release, '/home/mallory/links')
    const linked = await links()
    project.commit(victim.version(2))
    await good({ packages: 'tree' })
    project.commit(victim.version(3))
    expect((await bad({ 'expect-text': 'version 2' })).outputs.result).toBe('reverted')
    expect((await good({ command: 'rollback' })).release).toBe(first.release)
    await good()
    await must('touch /home/mallory/siege/stop')

    const siege = await attack
    judge('a local user', siege)
    expect(siege.rounds).toBeGreaterThan(5)
    // This victim has no secret files.
    expect(aimless(siege)).toEqual(['list the credentials', 'create a file in the credentials'])
    judge('the user nobody', await attackOnceAs(server, 'nobody', open))
    // nginx's own user speaks to apps, that is its work; so can another program that runs as that user, as PHP often does.
    const may = ['connect to the socket', 'connect through current']
    judge("nginx's user", await attackOnceAs(server, 'www-data', open), { may })

    await expectUnharmed(server, 3)
    expect(await links()).toBe(linked)
    expect(await must('ls -A /home/mallory/siege')).not.toContain('lured')
    const ours = '/srv /opt /etc /var/lib /var/cache /var/log /run/web-victim /run/flask-deploy'
    expect(await must(`find ${ours} -user mallory`)).toBe('')
    // The build cache holds uv's locks, which are everybody's in a folder that is not.
    const writable = `-path /var/cache/web-victim-build/uv -prune -o -path '*web-victim*' -perm /002 ! -type l -print`
    expect(await must(`find ${ours} ${writable}`)).toBe('')
  })
})
