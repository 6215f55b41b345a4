// Authorization details as list items.
import type { AuthorizationDetail, DetailType } from '#db/store/oauth-details'
import { describeDetails } from './detail-descriptions.ts'
import type { Language } from './language.ts'

type Shown = { readonly details: readonly AuthorizationDetail[]; readonly types: readonly DetailType[]; readonly lang: Language }

export const Details = ({ details, types, lang }: Shown) => (
  <>
    {describeDetails(details, types, lang).map(({ title, facts }) => (
      <li>
        {title}
        <ul>
          {facts.map((fact) => (
            <li>{fact}</li>
          ))}
        </ul>
      </li>
    ))}
  </>
)
