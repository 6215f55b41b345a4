// The page of the mailed link that stops a recovery. It works without scripts, and opening it changes nothing, because mail programs open links.
import { Submit } from '#shared/platform/pages/form.tsx'
import { openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import type { Ctx } from './group.ts'

/** Without a handle the page confirms that the recovery is stopped. */
export const cancelPage = async (ctx: Ctx, transactionToken: string | undefined) => {
  const page = await openPage(ctx, {})
  const { access, busy } = page.words
  return pageResult(ctx, page, {
    title: transactionToken === undefined ? access.stoppedTitle : access.stopTitle,
    ...(transactionToken === undefined ? { outcome: 'success' } : {}),
    children: (
      <>
        <p>{transactionToken === undefined ? access.stoppedText : access.stopText}</p>
        {transactionToken === undefined ? (
          ''
        ) : (
          <form method="post" action="/account/recovery/cancel">
            <input type="hidden" name="ticket" value={transactionToken} />
            <Submit label={access.stop} busy={busy} />
          </form>
        )}
      </>
    ),
  })
}
