import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { page, traces } from './traces.ts'

const able = canBoot()

/** nginx files that somebody else wrote: the bytes are odd on purpose. */
const shop = `# ours since 2016,   do not touch
server {
\tlisten 80;
  server_name shop.example;
  location / { default_type text/plain; return 200 "the shop\\n"; }
}`

/** Everything below /etc/nginx with its bytes, modes, owners and times, but for the named files. */
async function nginxFiles(server: Server, ...but: readonly string[]): Promise<string> {
  const without = but.map((name) => `! -name '${name}'`).join(' ')
  return await server.must(`cd /etc/nginx && find . ! -type d ${without} -printf '%p %y %l %m %u %T@\\n' | sort
    find . -type f ${without} -exec sha256sum {} + | sort`)
}

/** How often nginx was reloaded or started, and its workers, which are others after each. */
async function nginxTurns(server: Server): Promise<string> {
  return await server.must(`journalctl --sync; journalctl -u nginx -o cat | grep -cE '^(Reloaded|Started|Restarted)' || :
    main=$(systemctl show -p MainPID --value nginx); cat /proc/$main/task/$main/children`)
}

const ours = ['web-hello.conf', '00-flask-deploy-default.conf']

describe.skipIf(!able.ok)(`other people’s nginx ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('another site is served on, byte for byte as it was, when ours comes, changes and goes back', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(
      `cat > /etc/nginx/sites-available/shop
      ln -s ../sites-available/shop /etc/nginx/sites-enabled/shop
      chmod 0640 /etc/nginx/sites-available/shop
      echo 'gzip_comp_level 3;' > /etc/nginx/conf.d/tuning.conf
      systemctl restart nginx`,
      { stdin: shop },
    )
    expect(await visit(server, '/', 'shop.example')).toMatchObject({ status: 200, body: 'the shop\n' })
    // The distribution's own default site is in the way of ours, and stays in sites-available.
    const before = await nginxFiles(server, ...ours, 'default')
    const project = tinyProject()
    const options = { workspace: project.folder, inputs: reach(server) }
    for (const change of ['version 1', 'version 2']) {
      project.commit({ 'app.py': tinyApp.replace('version 1', change) })
      const ran = await act(options)
      expect(ran.status, ran.log).toBe(0)
      expect(await page(server)).toBe(change)
      expect(await visit(server, '/', 'shop.example')).toMatchObject({ status: 200, body: 'the shop\n' })
    }
    const back = await act({ ...options, inputs: { ...options.inputs, command: 'rollback' } })
    expect(back.status, back.log).toBe(0)
    expect(await nginxFiles(server, ...ours, 'default')).toBe(before)
    expect((await server.run('cd /etc/nginx/sites-available && dpkg --verify nginx-common')).stdout).toBe('')
    expect(await visit(server, '/', 'shop.example')).toMatchObject({ status: 200, body: 'the shop\n' })
  })

  test('another default server stays the default', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(
      `rm /etc/nginx/sites-enabled/default; cat > /etc/nginx/conf.d/all.conf; systemctl restart nginx`,
      {
        stdin: shop.replace('listen 80;', 'listen 80 default_server;'),
      },
    )
    const before = await nginxFiles(server, ...ours)
    const ran = await act({
      workspace: tinyProject().folder,
      inputs: { ...reach(server), domain: 'hello.example' },
    })
    expect(ran.status, ran.log).toBe(0)
    expect(await visit(server, '/', 'hello.example')).toMatchObject({ body: 'version 1' })
    expect(await visit(server, '/', 'unheard-of.example')).toMatchObject({ body: 'the shop\n' })
    expect(await nginxFiles(server, ...ours)).toBe(before)
    expect((await server.run('ls /etc/nginx/sites-enabled')).stdout).toBe('web-hello.conf\n')
  })

  test('a default site that somebody has edited is not taken for the distribution’s', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(`sed -i 's/^\\tlocation \\/ {/&\\n\\t\\treturn 200 "mine";/' /etc/nginx/sites-available/default
      systemctl restart nginx`)
    const before = await nginxFiles(server, ...ours)
    const ran = await act({
      workspace: tinyProject().folder,
      inputs: { ...reach(server), domain: 'hello.example' },
    })
    expect(ran.status, ran.log).toBe(0)
    expect(await visit(server, '/', 'hello.example')).toMatchObject({ body: 'version 1' })
    expect(await visit(server, '/', 'unheard-of.example')).toMatchObject({ body: 'mine' })
    expect(await nginxFiles(server, ...ours)).toBe(before)
  })

  test('a configuration that was broken before us: the run says which file, and nginx is left alone', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(
      `printf 'server {\\n  listen 80;\\n  server_nam shop.example;\\n}\\n' > /etc/nginx/conf.d/broken.conf`,
    )
    const before = await nginxFiles(server)
    const turns = await nginxTurns(server)
    const ran = await act({ workspace: tinyProject().folder, inputs: reach(server) })
    expect(ran.status, ran.log).toBe(1)
    expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'cutover', serving: '' })
    const { error } = JSON.parse(ran.outputs.report)
    expect(error.code).toBe('nginx-broken')
    expect(error.cause).toContain('unknown directive "server_nam" (/etc/nginx/conf.d/broken.conf, line 3)')
    expect(await nginxFiles(server)).toBe(before)
    expect(await nginxTurns(server)).toBe(turns)
    // It serves what it served before.
    expect((await visit(server, '/')).body).toContain('Welcome to nginx')

    await server.must('rm /etc/nginx/conf.d/broken.conf')
    const next = await act({ workspace: tinyProject().folder, inputs: reach(server) })
    expect(next.status, next.log).toBe(0)
    expect(await page(server)).toBe('version 1')
  })

  test('a configuration that somebody broke after our first deploy: a code change needs no nginx, a new domain fails', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options = { workspace: project.folder, inputs: reach(server) }
    const good = await act(options)
    expect(good.status, good.log).toBe(0)
    await server.must(`echo 'nonsense;' > /etc/nginx/conf.d/broken.conf`)
    const before = await nginxFiles(server)
    const turns = await nginxTurns(server)
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const code = await act(options)
    expect(code.status, code.log).toBe(0)
    expect(await page(server)).toBe('version 2')

    const domain = `${server.address}\nnew.example`
    const bad = await act({ ...options, inputs: { ...options.inputs, domain } })
    expect(bad.status, bad.log).toBe(1)
    expect(JSON.parse(bad.outputs.report).error.code).toBe('nginx-broken')
    expect(bad.outputs.serving).toBe(code.outputs.release)
    expect(await page(server)).toBe('version 2')
    expect(await nginxFiles(server)).toBe(before)
    expect(await nginxTurns(server)).toBe(turns)
    expect(await traces(server)).toContain(`./current releases/${code.outputs.release}`)
  })
})
