// Contrast of colours (WCAG 2.2, success criteria 1.4.3 and 1.4.11), and the nearest colour with enough of it.

type Rgb = readonly [number, number, number]

const parse = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb
const format = (rgb: Rgb): string => `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`

/** Relative luminance (WCAG 2.2). */
const luminance = (hex: string): number => {
  const [r, g, b] = parse(hex).map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0)
}

/** Contrast ratio from 1 (none) to 21. */
export const contrast = (a: string, b: string): number => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

/** Minimum contrast of text and links. */
export const READABLE = 4.5

const mixed = (hex: string, towards: string, share: number): string => {
  const [from, to] = [parse(hex), parse(towards)]
  return format(from.map((part, at) => part + ((to[at] ?? 0) - part) * share) as unknown as Rgb)
}

/** The colour if it is readable on all of these backgrounds, else the nearest readable shade. */
export const readableOn = (hex: string, grounds: readonly string[]): string => {
  const reads = (colour: string): boolean => grounds.every((ground) => contrast(colour, ground) >= READABLE)
  const towards = grounds.every((ground) => luminance(ground) > 0.18) ? '#000000' : '#ffffff'
  for (let step = 0; step <= 50; step++) {
    const colour = mixed(hex, towards, step / 50)
    if (reads(colour)) return colour
  }
  return towards
}

/** The text colour with the best contrast on a colour. */
export const inkOn = (hex: string): string => (contrast('#ffffff', hex) >= contrast('#0e1014', hex) ? '#ffffff' : '#0e1014')
