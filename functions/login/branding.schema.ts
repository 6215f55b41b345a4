// Wire shapes of how a tenant's hosted pages look.
import * as z from 'zod'

const Colour = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour as #rrggbb')
  .meta({ examples: ['#1d4ed8'] })
/** 16 KiB of image in base64; the logo is embedded in every page. */
const LONGEST_LOGO = 22_000
const Logo = z
  .string()
  .max(LONGEST_LOGO)
  .regex(/^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/, 'must be a PNG, JPEG or WebP picture as a data URL')
  .meta({
    examples: ['data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='],
  })

export const PutBranding = z
  .strictObject({
    brand: Colour.nullable(),
    brand_ink: Colour.nullable().optional(),
    radius: z.int().min(0).max(24).nullable(),
    logo: Logo.nullable(),
  })
  .meta({ id: 'PutBranding' })

export const Branding = z
  .object({
    brand: z.string().nullable(),
    brand_ink: z.string().nullable(),
    brand_dark: z.string().nullable(),
    brand_dark_ink: z.string().nullable(),
    radius: z.int().nullable(),
    logo: z.string().nullable(),
    /** What was corrected so that the pages stay readable. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'Branding' })
