import { renderersOn } from './renderers-on.ts'

renderersOn('trixie')
