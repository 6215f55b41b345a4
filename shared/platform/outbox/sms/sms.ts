// Text messages, in our words.
export type SmsMessage = {
  /** E.164. */
  readonly to: string
  readonly text: string
}

/** Hands a message over within ten seconds, or throws AppError sms_failed, sms_number_refused or sms_not_configured. Nobody logs the text. */
export type Sms = { send(message: SmsMessage): Promise<void> }
