// A code for a camera, drawn into the page: no request leaves for a picture.
import { raw } from 'hono/html'

/** The drawing as markup of our own making. */
export const qrOf = async (text: string): Promise<string> => {
  const qr = (await import('qrcode')).default
  return qr.toString(text, { type: 'svg', margin: 2, errorCorrectionLevel: 'M' })
}

export const Qr = ({ drawing, label }: { readonly drawing: string; readonly label: string }) => (
  <div class="qr" role="img" aria-label={label}>
    {raw(drawing)}
  </div>
)
