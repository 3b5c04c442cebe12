/**
 * A certificate (DER, base64) of an authority whose name is HTML and a workflow command, for names that are the same and for
 * liar.example.com.
 */
export const nastyCertificate = [
  'MIICczCCAhmgAwIBAgIUODqYRQRRCrwPwg4Tya0E5Fn4iTswCgYIKoZIzj0EAwIwazEiMCAGA1UECgwZPGltZyBzcmM9eCBv',
  'bmVycm9yPVBXTkVEPjFFMEMGA1UEAww8OjplcnJvcjo6UFdORUQgIyNbZXJyb3JdUFdORUQgYHhgIHwgQHggW3hdKGphdmFz',
  'Y3JpcHQ6UFdORUQpMCAXDTI2MTEyMjIzMDczNloYDzIxMjYxMDI5MjMwNzM2WjBrMSIwIAYDVQQKDBk8aW1nIHNyYz14IG9u',
  'ZXJyb3I9UFdORUQ+MUUwQwYDVQQDDDw6OmVycm9yOjpQV05FRCAjI1tlcnJvcl1QV05FRCBgeGAgfCBAeCBbeF0oamF2YXNj',
  'cmlwdDpQV05FRCkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQITH58T85EvbwYrTnOYog0MPj5yh3VVQnLTJaa52LrYDAy',
  'S670DCzW4Ogj9sGa4AxAR6Kn1q3pT2K4WK/BPcsKo4GYMIGVMB0GA1UdDgQWBBR/FGvXJttiI6tdVj8nr3PlqMu3MTAfBgNV',
  'HSMEGDAWgBR/FGvXJttiI6tdVj8nr3PlqMu3MTAPBgNVHRMBAf8EBTADAQH/MEIGA1UdEQQ7MDmCGTxpbWcgc3JjPXggb25l',
  'cnJvcj1QV05FRD6CDjo6ZXJyb3I6OlBXTkVEggxsaWFyLmludmFsaWQwCgYIKoZIzj0EAwIDSAAwRQIgSCeZrNb/Zus1hfRC',
  'ICVAVLgDSVsTuXz+J/8ldwPkXdgCIQCkhDUps1Lt7egbZeC/A9mOwgJ+svcfpRSSxTrSZuFx4g==',
].join('')
