// A QR code drawn into the page, so that no image is requested.
import { raw } from 'hono/html'

/** The QR code as SVG markup. */
export const qrOf = async (text: string): Promise<string> => {
  const qr = (await import('qrcode')).default
  return qr.toString(text, { type: 'svg', margin: 2, errorCorrectionLevel: 'M' })
}

export const Qr = ({ drawing, label }: { readonly drawing: string; readonly label: string }) => (
  <div class="qr" role="img" aria-label={label}>
    {raw(drawing)}
  </div>
)
