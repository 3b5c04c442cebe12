/*
 * ssh2's compiled Poly1305 asks for `__dirname` when it is loaded, which an ES module does not have. Imported first, so
 * that it is there before ssh2 is.
 */
Object.assign(globalThis, { __dirname: import.meta.dirname, __filename: import.meta.filename })
