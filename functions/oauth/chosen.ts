// What a token request chooses of the details that were allowed; all of them where it chooses none.
import type { Details } from '#shared/domains/oauth/details'

export type Choose = (held: Details) => Details

/** Read before anything is done; what it answers throws where more is chosen than is held. @throws AppError invalid_authorization_details */
export const chooser = async (text: string | undefined): Promise<Choose> => {
  if (text === undefined) return (held) => held
  const { chosenDetails, parseDetails } = await import('#shared/domains/oauth/details')
  const asked = parseDetails(text)
  return (held) => chosenDetails(asked, held)
}
