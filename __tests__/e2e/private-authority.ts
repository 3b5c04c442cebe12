import { X509Certificate } from 'node:crypto'
import type { Server } from '../server/boot.ts'

/** What a company's own authority hands out. */
export interface Issued {
  /** PEM: the site's own certificate, then its authority's. */
  readonly chain: string
  /** PEM, PKCS#8. */
  readonly key: string
  /** SHA-256, colons between the bytes. */
  readonly fingerprint: string
}

/**
 * When a certificate holds, in days from now: negative is past. It ends half a day before, so that how many whole days are
 * left does not hang on a second.
 */
export interface Period {
  readonly from?: number
  readonly until?: number
}

/** An authority that no browser knows, with openssl on a booted server: a root, and one below it that signs. */
export interface PrivateAuthority {
  readonly rootPem: string
  /** @throws Error with openssl's words */
  readonly issue: (names: readonly string[], period?: Period) => Promise<Issued>
}

const DAY_MS = 86_400_000

const MAKE = `mkdir -p /root/private-authority && cd /root/private-authority
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $key -keyout root.key -out root.pem -days 3650 -subj '/CN=Private Root' \
  -addext keyUsage=critical,keyCertSign 2>/dev/null
printf 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n' >signer.ext
openssl req -new $key -keyout signer.key -subj '/CN=Private Signer' -out signer.csr 2>/dev/null
openssl x509 -req -in signer.csr -CA root.pem -CAkey root.key -CAcreateserial -days 3650 -extfile signer.ext \
  -out signer.pem 2>/dev/null
: >index.txt
cat >ca.conf <<CONF
[ca]
default_ca = one
[one]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = optional
CONF
cat root.pem`

/** Makes one on a server, the authority's for instance. */
export async function privateAuthority(server: Server): Promise<PrivateAuthority> {
  const rootPem = await server.must(MAKE)
  return {
    rootPem,
    async issue(names, { from = -1, until = 364 } = {}) {
      const made = await server.must(`cd /root/private-authority
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -out own.csr \
          -subj '/CN=${names[0]}' -addext 'subjectAltName=${names.map((name) => `DNS:${name}`).join()}' 2>/dev/null
        openssl ca -batch -notext -config ca.conf -cert signer.pem -keyfile signer.key -in own.csr -out own.pem \
          -startdate ${stamp(from)} -enddate ${stamp(until - 0.5)} 2>/dev/null
        cat own.pem signer.pem own.key`)
      const [own = '', signer = '', key = ''] = made.match(/-----BEGIN[\s\S]*?-----END [A-Z ]+-----\n/g) ?? []
      return { chain: own + signer, key, fingerprint: new X509Certificate(own).fingerprint256 }
    },
  }
}

/** As openssl wants a time: YYYYMMDDHHMMSSZ. */
function stamp(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString().replace(/\.\d+|[-:T]/g, '')
}
