import { type Checkout, checkout } from './projects.ts'

/** How many bytes of padding a page has: more than one packet. */
const PAGE_BYTES = 4_000

/**
 * A project whose every answer names its version, with a slow page, an echo for bodies, an asset of a name of its own,
 * and one whose name all versions share.
 */
export function versionedProject(version: string): Checkout {
  return checkout({ ...filesOf(version), 'requirements.txt': 'flask\n' })
}

/** What a commit has to change to go from one version to another. */
export function change(from: string, to: string): Readonly<Record<string, string | null>> {
  return { [`static/${assetOf(from)}`]: null, ...filesOf(to) }
}

/** As a bundler names its files. */
export function assetOf(version: string): string {
  return `app-${version}.css`
}

/** A version that cannot be imported. */
export const broken: Readonly<Record<string, string>> = { 'app.py': 'import nowhere_to_be_found\n' }

function filesOf(version: string): Readonly<Record<string, string>> {
  return {
    'app.py': `import hashlib
import time

from flask import Flask, jsonify, request

app = Flask(__name__)
VERSION = ${JSON.stringify(version)}


@app.get("/")
def page():
    return "version " + VERSION + "\\n" + "x" * ${PAGE_BYTES}


@app.get("/slow")
def slow():
    time.sleep(float(request.args.get("seconds", 2)))
    return "version " + VERSION + "\\n" + "x" * ${PAGE_BYTES}


@app.post("/echo")
def echo():
    body = request.get_data()
    return jsonify(version=VERSION, bytes=len(body), sha256=hashlib.sha256(body).hexdigest())
`,
    [`static/${assetOf(version)}`]: `/* version ${version} */\n`,
    'static/shared.css': `/* version ${version} */\n`,
  }
}
