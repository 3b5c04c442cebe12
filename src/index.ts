import './shim.ts'
import { main } from './main.ts'

await main()
