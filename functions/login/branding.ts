// How a tenant's hosted pages look. Colours with enough contrast are saved as given; others are corrected, with a note.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findPageBranding, type NewBranding, type PageBranding, putBranding } from '#db/store/branding'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { contrast, inkOn, READABLE, readableOn } from '#shared/platform/pages/contrast'
import type { User } from '#shared/platform/principals/principal'
import type { Branding, PutBranding } from './branding.schema.ts'
import type { Ctx } from './group.ts'

/** The backgrounds of the brand colour in the light and the dark scheme; the same values as in tokens.ts. */
const LIGHT = ['#ffffff', '#f6f7f9']
const DARK = ['#171a20', '#0e1014']

const toResponse = ({ branding: row }: PageBranding, notes: readonly string[] = []): z.input<typeof Branding> => ({
  brand: row?.brand ?? null,
  brand_ink: row?.brandInk ?? null,
  brand_dark: row?.brandDark ?? null,
  brand_dark_ink: row?.brandDarkInk ?? null,
  radius: row?.radius ?? null,
  logo: row?.logo && row.logoType ? `data:${row.logoType};base64,${Buffer.from(row.logo).toString('base64')}` : null,
  notes: [...notes],
})

export const readBranding = async (ctx: Ctx, principal: User): Promise<z.input<typeof Branding>> =>
  toResponse(await findPageBranding(forTenant(ctx.db, principal.tenantId)))

const SIGNATURES: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  'image/png': (bytes) => bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])),
  'image/jpeg': (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  'image/webp': (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
}

/** The decoded logo. Its bytes must match the declared type, so that no browser reads it as a document. @throws AppError invalid_request */
const pictureIn = (logo: string | null): Pick<NewBranding, 'logo' | 'logoType'> => {
  if (logo === null) return { logo: null, logoType: null }
  const [, type = '', data = ''] = /^data:([\w/]+);base64,(.+)$/.exec(logo) ?? []
  const bytes = Buffer.from(data, 'base64')
  if (SIGNATURES[type]?.(bytes) !== true)
    throw new AppError('invalid_request', 'logo: the bytes do not match the declared type.', { field: 'body.logo' })
  return { logo: new Uint8Array(bytes), logoType: type }
}

type Colours = Pick<NewBranding, 'brand' | 'brandInk' | 'brandDark' | 'brandDarkInk'>

const coloursOf = ({ brand, brand_ink }: z.output<typeof PutBranding>, notes: string[]): Colours => {
  if (brand === null) return { brand: null, brandInk: null, brandDark: null, brandDarkInk: null }
  const [light, dark] = [readableOn(brand.toLowerCase(), LIGHT), readableOn(brand.toLowerCase(), DARK)]
  if (light !== brand.toLowerCase()) notes.push(`brand: ${brand} cannot be read on a light page; ${light} is used there.`)
  if (dark !== brand.toLowerCase()) notes.push(`brand: ${brand} cannot be read on a dark page; ${dark} is used there.`)
  const wanted = brand_ink?.toLowerCase()
  const ink = wanted !== undefined && contrast(wanted, light) >= READABLE ? wanted : inkOn(light)
  if (wanted !== undefined && ink !== wanted) notes.push(`brand_ink: ${brand_ink} cannot be read on ${light}; ${ink} is used.`)
  return { brand: light, brandInk: ink, brandDark: dark, brandDarkInk: inkOn(dark) }
}

/** @throws AppError invalid_request */
export const saveBranding = async (ctx: Ctx, principal: User, body: z.output<typeof PutBranding>): Promise<z.input<typeof Branding>> => {
  const notes: string[] = []
  const row = { ...coloursOf(body, notes), ...pictureIn(body.logo), radius: body.radius, updatedAt: ctx.clock.now() }
  return atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
    await putBranding(t, row)
    const { logo, ...after } = row
    await recordEvent(t, ctx, {
      event: 'tenant.branding_changed',
      actor: byUser(principal),
      target: { type: 'tenant', id: principal.tenantId },
      after: { ...after, updatedAt: undefined, logo: logo !== null },
    })
    return toResponse(await findPageBranding(t), notes)
  })
}
