// `npm start`: production on one machine, with PostgreSQL and Redis. `npm run build` makes one folder of it that runs with Node alone.
import { main } from '../local/local.ts'

await main({ ENVIRONMENT: 'production', ...process.env })
