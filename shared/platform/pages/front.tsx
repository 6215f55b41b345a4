// The page of local mode that links to everything else.
import { pagePolicy, renderPage } from './layout.tsx'

export const frontPolicy = (nonce: string): string => pagePolicy(nonce)

type Front = { readonly nonce: string; readonly baseUrl: string; readonly capturesMail: boolean }

const Entry = ({ href, label }: { readonly href: string; readonly label: string }) => (
  <li>
    <a href={href}>{label}</a>
  </li>
)

export const renderFront = ({ nonce, baseUrl, capturesMail }: Front): string =>
  renderPage({
    lang: 'en',
    title: 'authsec-serverless',
    nonce,
    children: (
      <div class="card">
        <p class="who">{baseUrl}</p>
        <h1>authsec-serverless runs here</h1>
        <ul class="links">
          <Entry href="/signin" label="Sign in" />
          <Entry href="/docs" label="Read the API" />
          <Entry href="/openapi.json" label="OpenAPI document" />
          {capturesMail ? <Entry href="/local/outbox" label="Captured mail" /> : ''}
          <Entry href="/authsec/uflow/health" label="Health" />
        </ul>
      </div>
    ),
  })
