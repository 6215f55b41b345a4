// The interface of text message senders.
export type SmsMessage = {
  /** E.164. */
  readonly to: string
  readonly text: string
}

/**
 * Sends a message within ten seconds. The text is never logged.
 * @throws AppError sms_failed, sms_number_refused, sms_not_configured
 */
export type Sms = { send(message: SmsMessage): Promise<void> }
