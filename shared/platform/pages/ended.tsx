// Content of a page for a process that has ended.

/** Finished or expired, with a link to start again. */
export const endedContent = ({
  title,
  text,
  again,
}: {
  readonly title: string
  readonly text: string
  readonly again: { readonly href: string; readonly label: string }
}) => ({
  title,
  children: (
    <>
      <p class="quiet">{text}</p>
      <a class="primary" href={again.href}>
        {again.label}
      </a>
    </>
  ),
})
