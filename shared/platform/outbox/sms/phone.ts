// Telephone numbers in E.164, and their masked form.
const E164 = /^\+[1-9]\d{8,14}$/

/** Removes the spaces, dots, hyphens and brackets that people write. */
export const normalisePhone = (text: string): string => text.replace(/[\s().-]/g, '')
export const isPhoneNumber = (text: string): boolean => E164.test(text)

/** Masks a number except its first and last four characters. */
export const maskedPhone = (phone: string): string => `${phone.slice(0, 4)}***${phone.slice(-4)}`
