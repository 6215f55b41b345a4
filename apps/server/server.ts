// `npm start`: production on one machine, with PostgreSQL and Redis. `npm run build` bundles it into one folder that needs only Node.
import { main } from '../local/local.ts'

await main({ ENVIRONMENT: 'production', ...process.env })
