// The identity providers that a page offers. Their icons are inline, so that opening the page contacts no third party.
import type { SamlProvider } from '#db/store/saml-providers'
import type { Upstream } from '#shared/domains/federation/upstream'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import type { Hosted } from '#shared/platform/pages/hosted.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'

type Icon = Upstream['icon']

const PATHS: Readonly<Record<Exclude<Icon, 'google' | 'microsoft'>, string>> = {
  github:
    'M12 1a11 11 0 0 0-3.5 21.4c.6.1.8-.2.8-.5v-2c-3.1.7-3.8-1.3-3.8-1.3-.5-1.3-1.2-1.7-1.2-1.7-1-.7.1-.7.1-.7 1.1.1 1.7 1.2 1.7 1.2 1 1.7 2.6 1.2 3.2.9.1-.7.4-1.2.7-1.5-2.4-.3-5-1.2-5-5.5 0-1.2.4-2.2 1.1-3-.1-.3-.5-1.4.1-2.9 0 0 1-.3 3 1.1a10.5 10.5 0 0 1 5.6 0c2-1.4 3-1.1 3-1.1.6 1.5.2 2.6.1 2.9.7.8 1.1 1.8 1.1 3 0 4.3-2.6 5.2-5 5.5.4.3.8 1 .8 2v3c0 .3.2.6.8.5A11 11 0 0 0 12 1',
  key: 'M15 2a7 7 0 0 0-6.7 9L2 17.300V22h4.700v-3h3v-3h2.600l1-1A7 7 0 1 0 15 2m1.5 4a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3',
  building: 'M4 22V3h10v5h6v14h-7v-4h-2v4zM7 6v2h2V6zm0 4v2h2v-2zm0 4v2h2v-2zm5-8v2h-1V6zm-1 4v2h2v-2zm0 4v2h2v-2zm5-3v2h2v-2zm0 4v2h2v-2z',
}

const Shape = ({ icon }: { readonly icon: Icon }) => {
  if (icon === 'google') {
    return (
      <>
        <path fill="#4285f4" d="M23 12.300c0-.8-.1-1.6-.2-2.300H12v4.500h6.200a5.3 5.3 0 0 1-2.3 3.500v2.900h3.700c2.2-2 3.4-5 3.4-8.6" />
        <path fill="#34a853" d="M12 23.500c3.1 0 5.7-1 7.6-2.800l-3.7-2.900a7 7 0 0 1-10.4-3.600H1.700v3A11.5 11.5 0 0 0 12 23.5" />
        <path fill="#fbbc05" d="M5.5 14.200a7 7 0 0 1 0-4.400v-3H1.700a11.5 11.5 0 0 0 0 10.400z" />
        <path fill="#ea4335" d="M12 5.100c1.7 0 3.2.6 4.4 1.700l3.3-3.300A11.5 11.5 0 0 0 1.7 6.800l3.8 3A6.9 6.9 0 0 1 12 5.1" />
      </>
    )
  }
  if (icon === 'microsoft') {
    return (
      <>
        <path fill="#f25022" d="M2 2h9.500v9.500H2z" />
        <path fill="#7fba00" d="M12.5 2H22v9.500h-9.500z" />
        <path fill="#00a4ef" d="M2 12.500h9.500V22H2z" />
        <path fill="#ffb900" d="M12.5 12.500H22V22h-9.500z" />
      </>
    )
  }
  return <path fill="currentColor" d={PATHS[icon]} />
}

type Path = '/signin/provider' | '/signin/saml'
/** The link keeps the tenant, the application and the page to return to. */
export const providerHref = ({ tenant, client_id, return_to }: SignInContextRequest, provider: string, path: Path = '/signin/provider'): string => {
  const requested = Object.entries({ provider, tenant, client_id, return_to })
  return `${path}?${new URLSearchParams(requested.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))}`
}

type Part = {
  readonly page: Hosted
  readonly contextRequest: SignInContextRequest
  readonly upstreams: readonly Upstream[]
  readonly saml?: readonly Pick<SamlProvider, 'providerName' | 'displayName' | 'sortOrder'>[]
}
type Way = { readonly href: string; readonly label: string; readonly icon: Icon; readonly order: number }

const waysOf = ({ page, contextRequest, upstreams, saml = [] }: Part): readonly Way[] => {
  const goOn = (provider: string): string => fillPlaceholders(page.words.provider.goOn, { provider })
  return [
    ...saml.map(
      ({ providerName, displayName, sortOrder }): Way => ({
        href: providerHref(contextRequest, providerName, '/signin/saml'),
        label: goOn(displayName),
        icon: 'building',
        order: sortOrder,
      }),
    ),
    ...upstreams.map(
      ({ name, displayName, buttonText, icon, sortOrder }): Way => ({
        href: providerHref(contextRequest, name),
        label: buttonText ?? goOn(displayName),
        icon,
        order: sortOrder,
      }),
    ),
  ].toSorted((a, b) => a.order - b.order)
}

/** Uses links, not forms: browsers apply `form-action` to every redirect after a form, and a provider may redirect anywhere. */
export const ProviderLinks = (part: Part) =>
  waysOf(part).length === 0 ? (
    ''
  ) : (
    <>
      <p class="or">{part.page.words.signIn.or}</p>
      <nav class="ways" aria-label={part.page.words.provider.others}>
        {waysOf(part).map(({ href, label, icon }) => (
          <a class="second" href={href} rel="nofollow">
            <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
              <Shape icon={icon} />
            </svg>
            <span>{label}</span>
          </a>
        ))}
      </nav>
    </>
  )
