// Parts of a page that a script improves: see tools.client.ts.
import type { Language } from './language.ts'

/** A moment in UTC; the script states it in the reader's time zone. */
export const Moment = ({ at, lang }: { readonly at: Date | string; readonly lang: Language }) => {
  const date = new Date(at)
  const format = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC', hourCycle: 'h23' })
  return <time datetime={date.toISOString()} data-local>{`${format.format(date)} UTC`}</time>
}

/** A text with a moment at its `{at}`. */
export const TextWithMoment = ({ text, at, lang }: { readonly text: string; readonly at: Date | string; readonly lang: Language }) => {
  const [before = '', after = ''] = text.split('{at}')
  return (
    <>
      {before}
      <Moment at={at} lang={lang} />
      {after}
    </>
  )
}

type ToolWords = { readonly copy: string; readonly copied: string; readonly download: string; readonly print: string }

/** Copies the element with that id. Without a script its text can be selected. */
export const CopyButton = ({ of, words }: { readonly of: string; readonly words: ToolWords }) => (
  <button type="button" class="second" data-copies={of} data-done={words.copied} aria-live="polite" hidden>
    {words.copy}
  </button>
)

/** Copy, download and print. */
export const SaveButtons = ({ of, file, words }: { readonly of: string; readonly file: string; readonly words: ToolWords }) => (
  <div class="tools">
    <CopyButton of={of} words={words} />
    <button type="button" class="second" data-downloads={of} data-name={file} hidden>
      {words.download}
    </button>
    <button type="button" class="second" data-prints hidden>
      {words.print}
    </button>
  </div>
)
