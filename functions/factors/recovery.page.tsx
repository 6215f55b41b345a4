// The page behind the mailed link that stops a recovery. It works without script; opening it changes nothing, since programs open links as well.
import { Submit } from '#shared/platform/pages/form.tsx'
import { openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import type { Ctx } from './group.ts'

/** Without a ticket: that it is stopped. */
export const cancelPage = async (ctx: Ctx, transactionToken: string | undefined) => {
  const page = await openPage(ctx, {})
  const { access, busy } = page.words
  return pageResult(ctx, page, {
    title: transactionToken === undefined ? access.stoppedTitle : access.stopTitle,
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
