// English.
import type { PageStrings } from '../page-strings.ts'

export const pagesEn: PageStrings = {
  form: {
    messages: {
      heading: 'Please check the following:',
      other: 'Something went wrong. Try again in a moment.',
      offline: 'The server cannot be reached. Check your connection and try again.',
      rate_limited: 'Too many attempts. Try again in {wait}.',
      empty: 'Enter a password.',
      password_too_short: 'Use at least {shortest} characters. A few words in a row are easy to remember.',
      password_too_long: 'Use at most 128 characters.',
      password_guessable: 'This password contains your name or address. Choose one that is harder to guess.',
      password_breached: 'This password appears in lists of leaked passwords. Choose another one.',
      invalid_request: 'The password contains a character that cannot be used. Enter it again.',
    },
    showPassword: 'Show',
    hidePassword: 'Hide',
    tryAgain: 'Try again',
    signIn: 'Go to sign-in',
  },
  noScript: {
    title: 'Please turn on JavaScript',
    text: 'The link in your email contains a secret that only this page can read, and the page needs JavaScript to read it. Turn on JavaScript for this site, then open the link again.',
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
    done: 'You can now sign in with it. You can close this page.',
    expiredTitle: 'This link is no longer valid',
    expired: 'It was already used, or it has expired. If you have set your password, sign in with it. If not, ask your administrator for a new link.',
    missingTitle: 'Open the link again',
    missing: 'This page only works through the link in your email. Open the link again; it is still valid if you have not used it.',
    troubleTitle: 'Your link could not be checked',
  },
  federation: {
    title: 'Sign-in',
    doneTitle: 'You are almost signed in',
    done: 'This page closes automatically. If it does not, continue here.',
    refusedTitle: 'You are not signed in',
    refused: 'The provider did not sign you in, or you cancelled there. Nothing was changed.',
    go: 'Continue',
    staleTitle: 'This sign-in has expired',
    stale: 'It took too long, was already used, or was started in another browser. Start again.',
    startAgain: 'Start again',
  },
}
