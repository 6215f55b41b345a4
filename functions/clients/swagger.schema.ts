// Wire shape of the health of the client management.
import * as z from 'zod'

export const ClientsHealth = z.object({ status: z.literal('healthy'), service: z.literal('clients-microservice') }).meta({ id: 'ClientsHealth' })
