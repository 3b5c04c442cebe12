import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sourceFolder } from '../../src/config/paths.ts'
import { buildProperties, releaseProperties } from '../../src/config/sandbox.ts'
import { findingApp, renderTargetEnv } from '../../src/config/target-env.ts'
import { quote } from '../../src/quote.ts'
import { canBoot } from '../server/requirements.ts'
import { app, first, type HandMade, makeByHand, second, settingsOf, source, unit } from './hand-made.ts'

describe.skipIf(!canBoot().ok).each(['bookworm', 'bullseye', 'trixie', 'sid'] as const)('on %s', (suite) => {
  let site: HandMade
  beforeAll(async () => {
    site = await makeByHand(suite)
  })
  afterAll(() => site?.server.stop())

  test('the first start is one worker, a signal or several bring the others, a restart starts all', async () => {
    await site.untilWorkers(first, 1)
    await site.server.must(
      `rm ${unit(first).firstStart}; kill -TTIN "$(systemctl show -p MainPID --value ${unit(first).serviceUnit})"`,
    )
    await site.untilWorkers(first, 3)
    const master = await site.server.must(`systemctl show -p MainPID --value ${unit(first).serviceUnit}`)
    await site.server.must(`for n in 1 2 3 4 5; do kill -TTIN ${master.trim()}; done; sleep 1`)
    await site.untilWorkers(first, 3)
    await site.server.must(`systemctl restart ${unit(first).serviceUnit}`)
    await site.untilWorkers(first, 3)
  })

  test('a page is served through nginx, with everything odd as it was written', async () => {
    const page = JSON.parse(
      await site.curl('/', '-H', 'X-Forwarded-For: 192.0.2.9', '-H', 'X-Forwarded-Prefix: //evil'),
    )
    expect(page).toMatchObject({
      mark: 'one',
      greeting: `it's "5$" %n`,
      level: [1],
      cwd: sourceFolder(unit(first).root, source),
      url: 'http://shop.example/',
      address: '127.0.0.1',
      odd: `it's "5$" \\ #;%n é\ntwo lines`,
      nonce: null,
    })
    expect(page.headers).not.toContain('X-Flask-Deploy-Nonce')
  })

  test('names: addresses are answered, unknown ones get no answer', async () => {
    const ask = (host: string) =>
      site.server.run(`curl -s -o /dev/null -w '%{http_code}' -H ${quote(`Host: ${host}`)} http://127.0.0.1/`)
    expect((await ask('[2001:db8::7]')).stdout).toBe('200')
    expect(await ask('other.example')).toMatchObject({ stdout: '000', status: 52 })
    expect(
      (
        await site.server.run(
          `curl -s -o /dev/null -w '%{http_code}' 'http://[::1]/' -H 'Host: shop.example'`,
        )
      ).stdout,
    ).toBe('200')
  })

  test('only who knows the nonce is told the release', async () => {
    expect(await site.headers('/')).not.toHaveProperty('x-flask-deploy-release')
    expect(await site.headers('/', '-H', `X-Flask-Deploy-Nonce: ${'b'.repeat(32)}`)).not.toHaveProperty(
      'x-flask-deploy-release',
    )
    const known = await site.headers('/', '-H', `X-Flask-Deploy-Nonce: ${'a'.repeat(32)}`)
    expect(known['x-flask-deploy-release']).toBe(first)
    expect(known['x-flask-deploy-worker']).toMatch(/^\d+$/)
    expect(await site.curl('/stream', '-H', `X-Flask-Deploy-Nonce: ${'a'.repeat(32)}`)).toBe('01234')
  })

  test('headers for safety are sent once, and the app’s own word counts', async () => {
    expect(await site.headers('/')).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'strict-origin-when-cross-origin',
      server: 'nginx',
    })
    expect((await site.headers('/stream'))['x-frame-options']).toBe('DENY')
    expect(await site.headers('/embed')).not.toHaveProperty('x-frame-options')
    expect((await site.headers('/static/app.css'))['x-content-type-options']).toBe('nosniff')
  })

  test('bodies up to the limit reach the app', async () => {
    await site.server.must('head -c 5000000 /dev/zero >/tmp/five; head -c 17000000 /dev/zero >/tmp/seventeen')
    expect(await site.curl('/size', '--data-binary', '@/tmp/five')).toBe('5000000')
    expect(
      await site.curl('/size', '-o', '/dev/null', '-w', '%{http_code}', '--data-binary', '@/tmp/seventeen'),
    ).toBe('413')
  })

  test('nginx serves what is public, and the app is asked for all else', async () => {
    const isNginx = async (path: string) => 'etag' in (await site.headers(path, '--path-as-is'))
    expect(await site.headers('/static/app.css')).toMatchObject({
      'content-type': 'text/css',
      'cache-control': 'max-age=3600',
    })
    expect(await site.headers('/static/only-one.txt')).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
    })
    expect((await site.headers('/static/module.mjs'))['content-type']).toMatch(/^text\/javascript/)
    expect(await site.curl('/static/only-one.txt')).toBe('one ä\n')
    expect((await site.headers('/static/.hidden'))['cache-control']).toBe('no-cache')
    for (const path of [
      '/static/',
      '/static../gunicorn.py',
      '/static/../gunicorn.py',
      '/current/app.py',
      '/.public/static/app.css',
      '/gunicorn.py',
      '/.deploy/gunicorn.conf.py',
    ]) {
      expect([path, await site.curl(path, '--path-as-is', '-o', '/dev/null', '-w', '%{http_code}')]).toEqual([
        path,
        '404',
      ])
    }
    expect(await isNginx('/')).toBe(false)
  })

  test('the units are sound, and the service is walled in', async () => {
    const own = unit(first)
    expect(
      await site.server.must(`systemd-analyze verify ${own.serviceUnitFile} ${own.socketUnitFile} 2>&1`),
    ).not.toContain('web-shop')
    const [, score = '99'] =
      /exposure level for \S+ ([\d.]+)/.exec(
        await site.server.must(`systemd-analyze security --no-pager ${own.serviceUnit}`),
      ) ?? []
    console.log(`${suite}: systemd ${site.systemd}: security ${score}`)
    expect(Number(score)).toBeLessThanOrEqual(1.6)
    const modes = await site.server.must(
      `stat -c '%a %U:%G %n' ${app.stateDir} ${app.cacheDir} ${app.logDir} ${own.socket}`,
    )
    expect(modes).toBe(
      `750 web-shop:web-shop ${app.stateDir}\n750 web-shop:web-shop ${app.cacheDir}\n750 web-shop:web-shop ${app.logDir}\n660 root:www-data ${own.socket}\n`,
    )
  })

  test('a command of the project’s runs as the release does', async () => {
    const settings = settingsOf(first, site.systemd)
    const environment = quote(renderTargetEnv(settings, settings.target, false))
    await site.server.must(`printf %s ${environment} >${unit(first).target}`)
    const properties = releaseProperties({ ...settings, ...findingApp(settings) })
    const folder = sourceFolder(unit(first).root, source)
    const said = await site.transient(
      [...properties, ['WorkingDirectory', unit(first).root]],
      `cd ${quote(folder)}; id -un; python -m flask where; ls /srv; touch /srv/web-shop/x ~/mine; ls ~; cat /etc/web-shop/*.env`,
    )
    expect(said).toContain(`web-shop\nwhere shop it's "5$" \\ #;%n é\ntwo lines ${folder}\nweb-shop\n`)
    expect(said).toMatch(/touch: .*x.*: Read-only file system/)
    expect(said).toContain('\nmine\n')
    expect(said).toMatch(/cat: .*: Permission denied/)
  })

  test('a build reads its release, writes its environment, and finds no state', async () => {
    const own = unit(first)
    await site.server.must(
      `mkdir -p ${own.root}/.new /srv/web-other; chown ${app.buildUser} ${own.root}/.new; echo secret >${app.stateDir}/data; chown ${app.user}: ${app.stateDir}/data; chmod 0640 ${app.stateDir}/data`,
    )
    const said = await site.transient(
      buildProperties({
        name: 'shop',
        systemd: site.systemd,
        readable: [own.root],
        writable: [`${own.root}/.new`],
        environment: new Map([['UV_SYSTEM_CERTS', '1']]),
      }),
      `id -un; ls /srv /srv/web-shop/releases; head -c 6 ${own.gunicorn}; echo; touch ${own.root}/.new/made ${own.root}/no; cat ${app.stateDir}/data; echo "$UV_CACHE_DIR"; mkdir -p "$UV_CACHE_DIR"; echo ended`,
    )
    expect(said).toContain(`web-shop-build\n/srv:\nweb-shop\n\n/srv/web-shop/releases:\n${first}\nimport\n`)
    expect(said).toMatch(/touch: .*no.*: Read-only file system/)
    expect(said).not.toContain('secret')
    expect(said).toContain('/var/cache/web-shop-build/uv\nended\n')
    expect(await site.server.must(`stat -c %U ${own.root}/.new/made; stat -c %a ${app.buildCache}`)).toBe(
      'web-shop-build\n700\n',
    )
  })

  test('a flip changes page and files at once, and the old release’s files stay to be had', async () => {
    await site.release(second, 'two')
    await site.server.must(`ln -s ../${first} ${unit(second).previous}`)
    expect(JSON.parse(await site.curl('/')).mark).toBe('one')
    await site.flip(second)
    expect(JSON.parse(await site.curl('/')).mark).toBe('two')
    expect(await site.curl('/static/app.css')).toBe('/* two */\n')
    expect(await site.curl('/static/only-one.txt')).toBe('one ä\n')
    expect(
      (await site.headers('/', '-H', `X-Flask-Deploy-Nonce: ${'b'.repeat(32)}`))['x-flask-deploy-release'],
    ).toBe(second)
    for (let flips = 0; flips < 10; flips += 1) {
      for (const [id, mark] of [
        [first, 'one'],
        [second, 'two'],
      ] as const) {
        await site.flip(id)
        expect(await site.curl('/static/app.css')).toBe(`/* ${mark} */\n`)
      }
    }
    await site.server.must(
      `systemctl stop ${unit(first).socketUnit} ${unit(first).serviceUnit}; test ! -e ${unit(first).socket}`,
    )
    expect(JSON.parse(await site.curl('/')).mark).toBe('two')
    await site.server.must(`systemctl start ${unit(first).socketUnit} ${unit(first).serviceUnit}`)
    await site.flip(first)
    expect(JSON.parse(await site.curl('/')).mark).toBe('one')
  })

  test('no request fails while releases take turns', async () => {
    const asker = `
import collections, http.client, sys, threading, time
end = time.monotonic() + 4
found = collections.Counter()
def ask(keep, paths):
    connection = None
    while time.monotonic() < end:
        for path in paths:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", timeout=20)
                connection.request("GET", path, headers={"Host": "shop.example"})
                answer = connection.getresponse()
                answer.read()
                found[answer.status] += 1
            except OSError as error:
                found[repr(error)] += 1
                connection = None
            if not keep and connection:
                connection.close()
                connection = None
shared = ["/static/app.css", "/", "/static/only-one.txt", "/static/only-two.txt", "/static/module.mjs"]
for keep in (True, False, True, False):
    threading.Thread(target=ask, args=(keep, shared)).start()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(*["%s=%d" % pair for pair in found.items()])
`
    await site.server.must(`ln -sfn ../${second} ${unit(first).previous}`)
    const asked = site.server.must('cat >/tmp/ask.py; python3 /tmp/ask.py', { stdin: asker })
    for (let flips = 0; flips < 20; flips += 1) {
      await site.flip(flips % 2 === 0 ? second : first)
      await new Promise((done) => setTimeout(done, 150))
    }
    const answers = (await asked).trim()
    console.log(`${suite}: 20 flips under load: ${answers}`)
    expect(answers).toMatch(/^200=\d+$/)
    // A page is no folder to look for: nginx may not read one, and would say so for each request.
    expect(await site.server.must('grep -c crit /var/log/nginx/web-shop.error.log || :')).toBe('0\n')
  })

  test.runIf(suite === 'bookworm')('gixy finds nothing in the sites, and would find something', async () => {
    await site.server.must(
      'python3 -m venv /tmp/gixy && /tmp/gixy/bin/pip -q install --disable-pip-version-check gixy-ng==0.2.59',
      { timeoutMs: 200_000 },
    )
    const http = (inner: string) =>
      `events {}\nhttp {\ninclude /etc/nginx/mime.types;\nserver_tokens off;\n${inner}\n}\n`
    const ours = await site.server.must(
      'cat /etc/nginx/sites-enabled/00-flask-deploy-default.conf /etc/nginx/sites-enabled/web-shop.conf',
    )
    await site.put('/tmp/ours.conf', http(ours), '0644')
    await site.put(
      '/tmp/theirs.conf',
      http('server { location /i { alias /srv/; } return 301 http://x$uri; }'),
      '0644',
    )
    const found = await site.server.run('/tmp/gixy/bin/gixy -f json /tmp/ours.conf')
    const control = await site.server.run('/tmp/gixy/bin/gixy -f json /tmp/theirs.conf')
    expect(JSON.parse(control.stdout || '[]')).not.toEqual([])
    expect(JSON.parse(found.stdout || '[]')).toEqual([])
  })
})
