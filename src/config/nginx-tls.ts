import { UNKNOWN_NAME_PEM } from './paths.ts'

/*
 * TLS as Mozilla's "intermediate" guideline 6.0 (2026-05) has it: TLS 1.2 and 1.3, forward secrecy and authenticated
 * ciphers only, no DHE. No ssl_ecdh_curve: OpenSSL's own list is the better one (from 3.5 on it has X25519MLKEM768).
 * No stapling: Let's Encrypt has no OCSP any more.
 */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** The lines that every server block with TLS has: below nginx 1.29.2 the default server's protocols are all servers'. */
export const TLS_SETTINGS = `ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ${CIPHERS};
ssl_prefer_server_ciphers off;
ssl_session_cache shared:flask_deploy:10m;
ssl_session_timeout 1d;
ssl_session_tickets off;
`

/** `listen` lines for HTTPS with HTTP/2, as this version of nginx has it (`http2` is a directive from 1.25.1 on). */
export function listenTls(nginx: string, ipv6: boolean, flags = ''): string {
  const directive = atLeast(nginx, [1, 25, 1])
  const words = `ssl${directive ? '' : ' http2'}${flags}`
  return [
    `listen 443 ${words};`,
    ...(ipv6 ? [`listen [::]:443 ${words};`] : []),
    ...(directive ? ['http2 on;'] : []),
    '',
  ].join('\n')
}

/**
 * How names that nobody serves are refused over TLS: without any certificate from nginx 1.19.4 on. What asks for one on a
 * connection to another name, as browsers do over HTTP/2, is told to come on one of its own (RFC 9110, 15.5.20).
 */
export function refuseHandshake(nginx: string): string {
  if (atLeast(nginx, [1, 19, 4])) return 'ssl_reject_handshake on;\nlocation / {\n    return 421;\n}\n'
  return `ssl_certificate ${UNKNOWN_NAME_PEM};
ssl_certificate_key ${UNKNOWN_NAME_PEM};
return 444;
`
}

/**
 * A reload closes idle connections at once, and whatever a visitor is just sending on one is lost to him unless his
 * browser sends it again. From nginx 1.27.4 on they can stay open for a while, and be told to close with their next answer.
 */
export function keptThroughReload(nginx: string): string {
  return atLeast(nginx, [1, 27, 4]) ? 'keepalive_min_timeout 10s;\n' : ''
}

/** nginx's version in the distributions, by code name; one that is newer than all of these has at least the last one's. */
const DISTRIBUTED: ReadonlyMap<string, string> = new Map([
  ['focal', '1.18.0'],
  ['bullseye', '1.18.0'],
  ['jammy', '1.18.0'],
  ['bookworm', '1.22.1'],
  ['noble', '1.24.0'],
  ['trixie', '1.26.3'],
  ['plucky', '1.26.3'],
  ['questing', '1.28.0'],
  ['resolute', '1.28.3'],
  ['forky', '1.30.0'],
])

/** The version of nginx that a server has, or will have once it is installed. */
export function nginxVersion(installed: string | undefined, codename: string): string {
  return installed ?? DISTRIBUTED.get(codename) ?? '1.28.3'
}

function atLeast(version: string, wanted: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, least] of wanted.entries()) {
    const part = parts[index] ?? 0
    if (part !== least) return part > least
  }
  return true
}
