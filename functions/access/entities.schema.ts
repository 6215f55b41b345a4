// The information model (AuthZEN section 5). Unknown members are ignored: enforcement points send properties that this decision does not read.
import * as z from 'zod'

const name = z.string().min(1).max(200)
const properties = z.record(z.string(), z.unknown()).optional()

export const AccessSubject = z.object({ type: name, id: z.string().min(1).max(500), properties }).meta({ id: 'AccessSubject' })
export const Resource = z.object({ type: name, id: z.string().min(1).max(500), properties }).meta({ id: 'AccessResource' })
export const Action = z.object({ name, properties }).meta({ id: 'AccessAction' })

/** Defaults of a batch: a question takes the members that it omits from here. */
const partly = z.object({ type: name.optional(), id: z.string().min(1).max(500).optional(), properties })
export const SubjectDefault = partly.meta({ id: 'AccessSubjectDefault' })
export const ResourceDefault = partly.meta({ id: 'AccessResourceDefault' })
export const ActionDefault = z.object({ name: name.optional(), properties }).meta({ id: 'AccessActionDefault' })

const moment = z.union([z.iso.datetime({ offset: true }), z.number().int().min(0).max(253_402_300_799)])
/** Facts about the access: second factor, time of sign-in, address and time. Other members are ignored. */
export const AccessContext = z
  .object({ mfa: z.boolean().optional(), auth_time: moment.optional(), ip: z.union([z.ipv4(), z.ipv6()]).optional(), at: moment.optional() })
  .meta({ id: 'AccessContext' })

export type SubjectIn = z.output<typeof AccessSubject>
export type ResourceIn = z.output<typeof Resource>
