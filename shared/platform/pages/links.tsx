// Secondary links below a form.
type Link = { readonly href: string; readonly label: string }
export const Links = ({ links }: { readonly links: readonly (Link | undefined)[] }) => (
  <ul class="links">
    {links.map((link) =>
      link === undefined ? (
        ''
      ) : (
        <li>
          <a href={link.href}>{link.label}</a>
        </li>
      ),
    )}
  </ul>
)
