// The interface of mail senders. Requests never send: they enqueue in the outbox, and the sender job calls this.

export type MailMessage = {
  /** Exactly one address. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The sender's display name: the tenant's. */
  readonly fromName: string
  /** Stable per message, so that a message sent twice can be recognised (RFC 5322 Message-ID). */
  readonly messageId: string
  /** The tenant's logo, which the HTML shows by its Content-ID. */
  readonly logo?: { readonly type: string; readonly content: Uint8Array }
}

/**
 * Delivers within 10 seconds. Line breaks in subject and name become spaces.
 * @throws AppError delivery_failed
 */
export type Mail = { send(message: MailMessage): Promise<void> }
