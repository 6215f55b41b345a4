// The page behind the mailed link that stops a recovery. It works without script; opening it changes nothing, since programs open links as well.
import { Submit } from '#shared/platform/pages/form.tsx'
import { openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import type { Ctx } from './group.ts'

/** Without a ticket: that it is stopped. */
export const cancelPage = async (ctx: Ctx, ticket: string | undefined) => {
  const page = await openPage(ctx, {})
  const { access, busy } = page.words
  return pageResult(ctx, page, {
    title: ticket === undefined ? access.stoppedTitle : access.stopTitle,
    children: (
      <>
        <p>{ticket === undefined ? access.stoppedText : access.stopText}</p>
        {ticket === undefined ? (
          ''
        ) : (
          <form method="post" action="/account/recovery/cancel">
            <input type="hidden" name="ticket" value={ticket} />
            <Submit label={access.stop} busy={busy} />
          </form>
        )}
      </>
    ),
  })
}
