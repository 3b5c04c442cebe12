/**
 * What the action itself installs on a server, pinned by hash (SHA-256 of the wheels on PyPI).
 * gunicorn 27 needs Python 3.10; packaging 26.2 is the last for 3.8 and serves every newer one.
 */
export const uv = {
  version: '0.13.9',
  requirements: `uv==0.13.9 \\
    --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 \\
    --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe \\
    --hash=sha256:2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25 \\
    --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375
`,
} as const

/** For projects that list no gunicorn. */
export const gunicorn = {
  requirements: `gunicorn==27.0.1 ; python_version >= "3.10" \\
    --hash=sha256:378b26b9a38adcf4592f28828233c1716acc55e833ea06bf48719782efaa0d10
gunicorn==23.0.0 ; python_version < "3.10" \\
    --hash=sha256:ec400d38950de4dfd418cff8328b2c8faed0edb0d517d3394e457c317908ca4d
packaging==26.2 \\
    --hash=sha256:5fc45236b9446107ff2415ce77c807cee2862cb6fac22b8a73826d0693b0980e
`,
} as const
