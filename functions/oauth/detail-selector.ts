// What a token request chooses of the details that were allowed; all of them where it chooses none.
import type { Details } from '#shared/domains/oauth/details'

export type SelectDetails = (held: Details) => Details

/** Read before anything is done; what it answers throws where more is chosen than is held. @throws AppError invalid_authorization_details */
export const detailSelector = async (text: string | undefined): Promise<SelectDetails> => {
  if (text === undefined) return (held) => held
  const { selectedDetails, parseDetails } = await import('#shared/domains/oauth/details')
  const requested = parseDetails(text)
  return (held) => selectedDetails(requested, held)
}
