import ssh2 from 'ssh2'

/** A key pair in OpenSSH's format. */
export interface FreshKey {
  readonly private: string
  readonly public: string
}

/**
 * Has ssh2 make a key. One in 250 of its ed25519 and ECDSA keys is cut by a byte (it drops a leading zero), and no program
 * reads that one, OpenSSH included: then another is made.
 * @param passphrase locks it; of an ed25519 key only
 */
export function freshKey(type: 'ed25519' | 'rsa' | 'ecdsa', passphrase?: string): FreshKey {
  for (;;) {
    const pair =
      type === 'rsa'
        ? ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
        : type === 'ecdsa'
          ? ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
          : passphrase === undefined
            ? ssh2.utils.generateKeyPairSync('ed25519')
            : ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 4 })
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair
  }
}
