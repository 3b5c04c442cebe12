import { describe, expect, test } from 'vitest'
import { and, markerText, or, readMarker } from '../../src/project/markers.ts'

const read = (text: string, extras: readonly string[] = []) => {
  const marker = readMarker(text, new Set(extras))
  return marker.length === 0 ? 'never' : markerText(marker)
}

describe('readMarker', () => {
  test.each([
    ['', ''],
    ['python_version < "3.8"', "python_version < '3.8'"],
    ["'3.8' > python_version", "'3.8' > python_version"],
    ['sys_platform == "win32"', 'never'],
    ['sys_platform != "win32"', ''],
    ['platform_system == "Linux" and python_version >= "3.9"', "python_version >= '3.9'"],
    ['os_name == "nt" or python_version >= "3.9"', "python_version >= '3.9'"],
    ['os_name == "posix" or python_version >= "3.9"', ''],
    ['platform_python_implementation == "PyPy" and platform_machine == "x86_64"', 'never'],
    ['sys_platform in "linux darwin"', ''],
    ['"linux" in sys_platform', ''],
    ['sys_platform not in "win32 cygwin"', ''],
    ["platform.machine == 'aarch64'", "platform.machine == 'aarch64'"],
    [
      '(python_version < "3.8" or python_version >= "3.12") and platform_machine != "armv7l"',
      "(platform_machine != 'armv7l' and python_version < '3.8') or (platform_machine != 'armv7l' and python_version >= '3.12')",
    ],
    ['python_version >= "3.8" and python_version >= "3.8"', "python_version >= '3.8'"],
    ['python_version ~= "3.8"', "python_version ~= '3.8'"],
  ])('%j is %j on the servers that there are', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  test('an extra counts where it is wanted, however it is spelt', () => {
    expect(read('extra == "web_app"', ['web-app'])).toBe('')
    expect(read('extra == "web"')).toBe('never')
    expect(read('extra != "web"')).toBe('')
  })

  test.each(['python_version >', 'nonsense', '(python_version < "3"', 'a == "b" c'])(
    '%j is left to uv as it stands',
    (text) => {
      expect(read(text)).toBe(text)
    },
  )

  test('two of them make one of both', () => {
    const [old, arm] = [readMarker('python_version < "3.8"'), readMarker('platform_machine == "arm64"')]
    expect(markerText(and(old, arm))).toBe("platform_machine == 'arm64' and python_version < '3.8'")
    expect(markerText(or(old, arm))).toBe("(python_version < '3.8') or (platform_machine == 'arm64')")
    expect(markerText(or(old, and(old, arm)))).toBe("python_version < '3.8'")
  })
})
