// Content of a page for a process that has ended.
import type { Outcome } from './layout.tsx'

/** Finished or expired, with a link to start again. */
export const endedContent = ({
  title,
  text,
  again,
  outcome = 'failed',
}: {
  readonly title: string
  readonly text: string
  /** `none` where nothing succeeded, was refused or failed. */
  readonly outcome?: Outcome | 'none'
  readonly again: { readonly href: string; readonly label: string }
}) => ({
  title,
  ...(outcome === 'none' ? {} : { outcome }),
  children: (
    <>
      <p class="quiet">{text}</p>
      <a class="primary" href={again.href}>
        {again.label}
      </a>
    </>
  ),
})
