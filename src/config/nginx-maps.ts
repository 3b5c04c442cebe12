import { paths } from './paths.ts'

/** The end of a file's name with a hash of its content in it: its bytes never change. Not a date, which has no letter. */
const HASHED = '[._-](?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\\.[^/]*$'

/**
 * Names of an app's nginx variables: they are the whole server's, and `-` cannot be in them.
 * @param name NAME
 */
export function variables(name: string) {
  const prefix = `$${paths(name).user.replaceAll('-', '_')}`
  return {
    connection: `${prefix}_connection`,
    nosniff: `${prefix}_nosniff`,
    framing: `${prefix}_framing`,
    frame: `${prefix}_frame`,
    referrer: `${prefix}_referrer`,
    hsts: `${prefix}_hsts`,
    path: `${prefix}_path`,
    expires: `${prefix}_expires`,
    immutable: `${prefix}_immutable`,
  }
}

/** Headers for safety are added where the app does not set its own: two of one kind would contradict each other. */
export function maps(names: ReturnType<typeof variables>): string {
  return `map $http_upgrade ${names.connection} {
    '' close;
    default upgrade;
}

# Empty where the app says it itself; a header without a value is not sent.
map $upstream_http_x_content_type_options ${names.nosniff} {
    '' nosniff;
    default '';
}
map $upstream_http_content_security_policy ${names.framing} {
    ~*frame-ancestors '';
    default SAMEORIGIN;
}
map $upstream_http_x_frame_options ${names.frame} {
    '' ${names.framing};
    default '';
}
map $upstream_http_referrer_policy ${names.referrer} {
    '' strict-origin-when-cross-origin;
    default '';
}

# How long a browser need not ask again for a file that nginx served itself.
map $uri ${names.expires} {
    "~${HASHED}" 1y;
    default 1h;
}
map ${names.expires}$upstream_status ${names.immutable} {
    1y immutable;
    default '';
}
`
}
