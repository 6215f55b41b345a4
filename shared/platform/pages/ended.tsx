// What cannot go on here, and how to begin again.

/** Finished, or begun too long ago: how to begin again. */
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
