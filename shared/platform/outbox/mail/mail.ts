// Mail, in our words. Requests never send: they enqueue in the outbox, and the sender job calls this.

export type MailMessage = {
  /** Exactly one address. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The sender's display name: the tenant's. */
  readonly fromName: string
  /** Stable per message, so that a message handed over twice can be told from two messages (RFC 5322 Message-ID). */
  readonly messageId: string
}

/** Delivers within 10 seconds or throws AppError delivery_failed. Line breaks in subject and name become spaces. */
export type Mail = { send(message: MailMessage): Promise<void> }
