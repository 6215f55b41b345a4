// Telephone numbers: E.164, and how one is shown.
const E164 = /^\+[1-9]\d{8,14}$/

/** As people write it, without spaces, dots, hyphens and brackets. */
export const normalisePhone = (text: string): string => text.replace(/[\s().-]/g, '')
export const isPhoneNumber = (text: string): boolean => E164.test(text)

/** The first four characters and the last four. */
export const maskedPhone = (phone: string): string => `${phone.slice(0, 4)}***${phone.slice(-4)}`
