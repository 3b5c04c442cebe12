import { quote } from '../../src/quote.ts'
import type { Server } from '../server/boot.ts'

/** A package index on a server itself, at its own loopback address, that has been tampered with. */
export interface PackageIndex {
  /** For `UV_INDEX_URL` or pip's `index-url`. */
  readonly url: string
  /** The paths that it was asked for, in order. */
  readonly asked: () => Promise<readonly string[]>
}

/**
 * Starts an index whose only files are these wheels. Each has the right name and is sound in itself, but holds other
 * bytes than its maker's: a .pth file and a program that say in the journal, under `trap`, that they ran.
 * @param wheels file names, e.g. `blinker-1.9.0-py3-none-any.whl`
 */
export async function startIndex(server: Server, wheels: readonly string[]): Promise<PackageIndex> {
  await addWheels(server, wheels)
  await server.must(`systemd-run --quiet --unit=index -p User=nobody python3 -u -m http.server --bind 127.0.0.1 --directory /opt/index 8077
    for try in $(seq 100); do
      ! python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8077))' 2>/dev/null || exit 0
      sleep 0.1
    done
    exit 1`)
  return {
    url: 'http://127.0.0.1:8077/simple',
    asked: async () =>
      (await server.must('journalctl --sync; journalctl -u index -o cat --no-pager'))
        .split('\n')
        .flatMap((line) => /"(?:GET|HEAD) (\S+)/.exec(line)?.[1] ?? []),
  }
}

/** Puts more of them into an index that runs. */
export async function addWheels(server: Server, wheels: readonly string[]): Promise<void> {
  await server.must(`mkdir -p /opt/index && cd /opt/index && python3 - ${wheels.map(quote).join(' ')}`, {
    stdin: `
import os, sys, zipfile

trap = "import os; os.system('logger -t trap tampered')\\n"
for name in sys.argv[1:]:
    package, version = name.split("-")[:2]
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}.pth": trap,
        f"{package}-{version}.data/scripts/{package}": "#!/bin/sh\\nlogger -t trap tampered\\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {package}\\nVersion: {version}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: " + name[:-4].split("-", 2)[2] + "\\n",
    }
    record = f"{info}/RECORD"
    files[record] = "".join(f"{one},,\\n" for one in [*files, record])
    folder = f"simple/{package}"
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for one, text in files.items():
            wheel.writestr(one, text)
    with open(f"{folder}/index.html", "a") as page:
        page.write(f"<!DOCTYPE html><a href='{name}'>{name}</a>\\n")
`,
  })
}

/** How often something out of a tampered wheel ran. */
export async function sprung(server: Server): Promise<number> {
  return Number(
    await server.must('journalctl --sync; journalctl -t trap -o cat --no-pager -q | grep -c tampered || :'),
  )
}
