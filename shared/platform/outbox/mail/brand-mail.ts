// A mail in the colours of its tenant, with the tenant's logo. Applied when the mail is sent, so that writing one costs no look-up.
import type { PageBranding } from '#db/store/branding'
import { brandLetter, type MailBrand } from './letter.ts'
import type { MailMessage } from './mail.ts'

export const brandMail = (message: MailMessage, branding: PageBranding['branding']): MailMessage => {
  const { brand = null, brandInk = null, radius = null, logo = null, logoType = null } = branding ?? {}
  const chosen: Partial<MailBrand> = {
    ...(brand === null ? {} : { brand }),
    ...(brandInk === null ? {} : { brandInk }),
    ...(radius === null ? {} : { radius }),
  }
  const shown = logo !== null && logoType !== null ? { type: logoType, content: new Uint8Array(logo) } : undefined
  const html = brandLetter(message.html, chosen, shown === undefined ? undefined : message.fromName)
  return { ...message, html, ...(shown === undefined ? {} : { logo: shown }) }
}
