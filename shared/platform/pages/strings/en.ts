// English.
import type { PageStrings } from '../page-strings.ts'

export const pagesEn: PageStrings = {
  form: {
    messages: {
      heading: 'Please check this:',
      other: 'That did not work. Try again in a moment.',
      offline: 'There is no connection to the server. Check your network and try again.',
      rate_limited: 'There were too many tries. Try again in {wait}.',
      empty: 'Enter a password.',
      password_too_short: 'Use at least {shortest} characters. A few words in a row are easy to remember.',
      password_too_long: 'Use at most 128 characters.',
      password_guessable: 'This is made from your own name or address. Choose something that nobody can guess.',
      password_breached: 'This password is in lists of leaked passwords. Choose another one.',
      invalid_request: 'The password has a character that cannot be used. Type it again.',
    },
    showPassword: 'Show',
    hidePassword: 'Hide',
    tryAgain: 'Try again',
    signIn: 'Go to sign-in',
  },
  noScript: {
    title: 'Please turn on JavaScript',
    text: 'The link in your mail keeps its secret where only this page can read it, and for that the page needs JavaScript. Turn it on for this site, then open the link again.',
  },
  setPassword: {
    title: 'Choose your password',
    wait: 'Checking your link …',
    account: 'Your account',
    password: 'New password',
    rule: 'At least {shortest} characters. A few words in a row are fine.',
    submit: 'Set password',
    busy: 'Setting password …',
    doneTitle: 'Your password is set',
    done: 'You can sign in with it now. This page can be closed.',
    expiredTitle: 'This link no longer works',
    expired: 'It was used already, or it is too old. If you have set your password, sign in with it. If not, ask whoever invited you for a new link.',
    missingTitle: 'Open the link again',
    missing: 'This page works only through the link in your mail. Open it there once more; it is still good if you have not used it.',
    troubleTitle: 'Your link is not checked yet',
  },
  federation: {
    title: 'Sign-in',
    doneTitle: 'You are almost signed in',
    done: 'This page closes by itself. If it does not, continue here.',
    refusedTitle: 'You are not signed in',
    refused: 'The provider did not let you in, or you said no there. Nothing has changed.',
    go: 'Continue',
    staleTitle: 'This sign-in no longer counts',
    stale: 'It took too long, was used already, or began in another browser. Start again.',
    startAgain: 'Start again',
  },
}
