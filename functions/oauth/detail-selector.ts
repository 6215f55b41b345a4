// Selects authorization details in a token request from the granted ones; all of them where the request names none.
import type { Details } from '#shared/domains/oauth/details'

export type SelectDetails = (held: Details) => Details

/**
 * Parses the selection before anything is written; the returned function throws where it selects more than was granted. @throws AppError
 * invalid_authorization_details
 */
export const detailSelector = async (text: string | undefined): Promise<SelectDetails> => {
  if (text === undefined) return (held) => held
  const { selectedDetails, parseDetails } = await import('#shared/domains/oauth/details')
  const requested = parseDetails(text)
  return (held) => selectedDetails(requested, held)
}
