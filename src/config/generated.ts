/** Where a Flask app looks for its key: its own variable, and the one of `app.config.from_prefixed_env()`. */
const SECRET_KEYS = ['SECRET_KEY', 'FLASK_SECRET_KEY'] as const

/**
 * The names under which the server is to make the app a secret key, once. None where `env` has one: a key of ours beside
 * it would be the one that the app takes, or not, by the order in which it looks.
 */
export function generatedKeys(env: ReadonlyMap<string, string>): readonly string[] {
  return SECRET_KEYS.some((name) => env.has(name)) ? [] : SECRET_KEYS
}

/** The names that may have a key from an earlier deploy, and that no process may see: `env` has a key of its own now. */
export function supersededKeys(env: ReadonlyMap<string, string>): readonly string[] {
  return generatedKeys(env).length > 0 ? [] : SECRET_KEYS.filter((name) => !env.has(name))
}
