import { type Domain, readDomain } from './domain.ts'
import { maps, variables } from './nginx-maps.ts'
import { keptThroughReload, listenTls, refuseHandshake, TLS_SETTINGS } from './nginx-tls.ts'
import { ACME_FOLDER, paths } from './paths.ts'
import type { SiteSettings, SiteTls } from './settings.ts'

/** Seconds that nginx waits for an answer beyond the app's own `timeout`, so that gunicorn's word comes first. */
const READ_GRACE_SECONDS = 15

/**
 * What nginx's default bucket of 64 bytes holds of a name (ngx_hash.h, NGX_HASH_ELT_SIZE, and a pointer). A longer name
 * would stop nginx, unless a setting of the whole server's were raised; as a pattern it is in no hash.
 */
const LONGEST_HASHED_NAME = 46

/**
 * What nginx's mime.types of some release lacks, and Flask would serve rightly. Scripts and manifests of an unknown type
 * are refused by browsers.
 */
const TYPES = [
  ['application/manifest+json', 'webmanifest'],
  ['application/wasm', 'wasm'],
  ['image/avif', 'avif'],
  ['text/csv', 'csv'],
  ['text/javascript', 'mjs'],
  ['text/vtt', 'vtt'],
] as const

/**
 * Renders an app's nginx file. It names no release: `current` is a symbolic link that nginx follows anew for each
 * request, to the files and to the socket alike, so a cutover or a rollback needs no reload.
 *
 * Files: nginx serves what a release's `.public` names, else what the previous release's does, else it asks the app.
 * A path with a hidden part is always the app's. `expires`, not `add_header`, because one header in a location hides
 * all headers of the server.
 *
 * Headers of the visitor's that a proxy would set are overwritten; those that could contradict ours are emptied
 * (gunicorn answers 400 to a scheme said in two ways, ProxyFix may take a prefix).
 * @param stay names that are served over HTTP as well, though they have a certificate: it is yet to be tested
 * @throws DeployError `domain-invalid`
 */
export function renderSite(site: SiteSettings, stay: readonly string[] = []): string {
  const app = paths(site.name)
  const domains = site.domains.map(readDomain)
  if (domains.length === 0) throw new RangeError('a site needs a domain')
  if (!/^[1-9][0-9]{0,12}[kKmMgG]?$|^0$/.test(site.maxBodySize)) {
    throw new RangeError(`not a size of nginx's: ${JSON.stringify(site.maxBodySize)}`)
  }
  const { tls } = site
  const secure = domains.filter(({ kind, text }) => kind === 'name' && tls?.names.includes(text))
  const leading = secure.filter(({ text }) => !stay.includes(text))
  const plain = domains.filter((domain) => !leading.includes(domain))
  const servers = [
    ...(plain.length > 0 ? [plainServer(site, plain)] : []),
    ...(leading.length > 0 ? [redirectServer(site, leading)] : []),
    ...(tls !== undefined && secure.length > 0 ? [secureServer(site, tls, secure, stay.length === 0)] : []),
  ]
  return `# Written by flask-deploy; a change by hand is overwritten by the next deploy.

# No keepalive: a kept connection would go on to the release before.
upstream ${app.user} {
    server unix:${app.current}/.sock fail_timeout=0;
}

${maps(variables(site.name))}
${servers.join('\n')}`
}

/** Names without a certificate, or none that is tested, addresses, or any name: the site itself over HTTP. */
function plainServer(site: SiteSettings, domains: readonly Domain[]): string {
  const any = domains.some(({ kind }) => kind === 'any')
  return `server {
${listen(site.ipv6, any ? ' default_server' : '')}
    server_name ${serverNames(domains).join(' ')};

${indented(body(site))}}
`
}

/** Names with a certificate: over HTTP they only lead to HTTPS, but for what their authority asks. */
function redirectServer(site: SiteSettings, domains: readonly Domain[]): string {
  return `server {
${listen(site.ipv6, '')}
    server_name ${serverNames(domains).join(' ')};
    server_tokens off;

${indented(challenges())}
    location / {
        return 301 https://$host$request_uri;
    }
}
`
}

/** @param insist browsers are told to come over HTTPS from now on, unless the app says something of it itself */
function secureServer(site: SiteSettings, tls: SiteTls, domains: readonly Domain[], insist: boolean): string {
  const names = variables(site.name)
  const map = `# Empty where the app says it itself.
map $upstream_http_strict_transport_security ${names.hsts} {
    '' "max-age=${site.hstsSeconds}";
    default '';
}
`
  const header = `    add_header Strict-Transport-Security ${names.hsts} always;\n`
  return `${insist ? map : ''}server {
${indented(listenTls(site.nginx, site.ipv6))}    server_name ${serverNames(domains).join(' ')};

    ssl_certificate ${tls.certificate};
    ssl_certificate_key ${tls.key};
${indented(TLS_SETTINGS)}${insist ? header : ''}
${indented(body(site))}}
`
}

/**
 * Renders the site that answers names nobody serves: it closes the connection. It stands only where there is no other
 * `default_server` on port 80, an app's that serves every name included: nginx takes no two.
 */
export function renderCatchAll(settings: { readonly ipv6: boolean }): string {
  return `# Written by flask-deploy: what is asked for a name that no site here has gets no answer.
server {
${listen(settings.ipv6, ' default_server')}
    server_name _;
    server_tokens off;

${indented(challenges())}
    location / {
        return 444;
    }
}
`
}

/**
 * Renders the same over HTTPS: a name that nobody serves is refused before anything is said. It stands where a site of
 * ours has HTTPS and nobody else is the default there.
 * @param settings.nginx nginx's version
 */
export function renderTlsCatchAll(settings: { readonly ipv6: boolean; readonly nginx: string }): string {
  return `# Written by flask-deploy: over HTTPS a name that no site here has is refused.
server {
${indented(listenTls(settings.nginx, settings.ipv6, ' default_server'))}    server_name _;
    server_tokens off;
${indented(TLS_SETTINGS)}${indented(refuseHandshake(settings.nginx))}}
`
}

/** What the site is, whatever it listens on: the same for HTTP and HTTPS. */
function body(site: SiteSettings): string {
  const app = paths(site.name)
  const names = variables(site.name)
  // The first place once more: a flip between the looks at the two would hide a file that both releases have.
  const find = (path: string) =>
    `try_files ${['', '/.previous', ''].map((of) => `/current${of}/.public${path}`).join(' ')} @app;\nexpires ${names.expires};\ncharset utf-8;\n`
  // A flip between finding a file and opening it: it is looked for once more, now in the release that was left.
  const files = `${find('$uri')}error_page 404 = @again;\n`
  return `server_tokens off;
client_max_body_size ${site.maxBodySize};
${keptThroughReload(site.nginx)}access_log /var/log/nginx/${app.user}.access.log;
error_log /var/log/nginx/${app.user}.error.log;

gzip on;
# Packed once, when the release was made.
gzip_static on;
gzip_vary on;
gzip_comp_level 5;
gzip_min_length 1024;
gzip_types text/css text/plain text/javascript application/javascript application/json application/xml application/manifest+json application/wasm image/svg+xml;

add_header X-Content-Type-Options ${names.nosniff} always;
add_header X-Frame-Options ${names.frame} always;
add_header Referrer-Policy ${names.referrer} always;
add_header Cache-Control ${names.immutable};

root ${app.app};
# What was asked for: a file that was found has another $uri from then on.
set ${names.path} $uri;
# Files stay open for a while, but where a path leads through \`current\` is looked up for each request: with any
# other time than 0 a flip would show late. Few, for a worker may have 1024 descriptors.
open_file_cache max=100 inactive=10s;
open_file_cache_valid 0s;

${challenges()}
location / {
${indented(files)}}

# Hidden parts, and folders, are the app's.
location ~ /(\\.|$) {
    try_files /current/.public/.none @app;
}

location ~ \\.(?:${TYPES.map(([, extension]) => extension).join('|')})$ {
    types {
${TYPES.map(([type, extension]) => `        ${type} ${extension};\n`).join('')}    }
${indented(files)}}

location @again {
${indented(find(names.path))}}

location @app {
    proxy_pass http://${app.user};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Forwarded-Prefix "";
    proxy_set_header X-Forwarded-Ssl "";
    proxy_set_header X-Forwarded-Protocol "";
    proxy_set_header Forwarded "";
    proxy_set_header Proxy "";
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection ${names.connection};
    proxy_redirect off;
    proxy_connect_timeout 5s;
    proxy_send_timeout 60s;
    proxy_read_timeout ${site.timeoutSeconds + READ_GRACE_SECONDS}s;
    # Buffers stay on: they keep a slow visitor from holding a worker.
    proxy_buffers 16 16k;
    proxy_buffer_size 16k;
    proxy_next_upstream off;
}
`
}

function challenges(): string {
  return `location ^~ /.well-known/acme-challenge/ {
    root ${ACME_FOLDER};
    default_type text/plain;
}
`
}

/** `[::]` is an error where the kernel has no IPv6. */
function listen(ipv6: boolean, flags: string): string {
  return [`    listen 80${flags};`, ...(ipv6 ? [`    listen [::]:80${flags};`] : [])].join('\n')
}

function serverNames(domains: readonly Domain[]): readonly string[] {
  const names = domains.filter(({ kind }) => kind !== 'any').map(serverName)
  return names.length === 0 ? ['_'] : [...new Set(names)]
}

function serverName({ kind, text }: Domain): string {
  if (kind === 'ipv6') return `[${text}]`
  return text.length > LONGEST_HASHED_NAME ? `~^${text.replaceAll('.', '\\.')}$` : text
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ')
}
