// Conveniences that need a script: copying, downloading and printing what a page shows, and times in the reader's time zone. Their buttons are hidden without it.

/** The text of an element: what it declares, else the lines of its list. */
const textOf = (id: string | undefined): string => {
  const shown = document.getElementById(id ?? '')
  return shown?.dataset.text ?? [...(shown?.querySelectorAll('li') ?? [])].map((item) => item.textContent).join('\n')
}

const enable = (button: HTMLButtonElement, act: () => void): void => {
  button.hidden = false
  button.addEventListener('click', act)
}

const download = (text: string, name: string): void => {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

export const enableTools = (root: ParentNode): void => {
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-copies]')) {
    // Browsers offer the clipboard on secure origins only.
    if (navigator.clipboard === undefined) continue
    enable(button, () => {
      navigator.clipboard.writeText(textOf(button.dataset.copies)).then(
        () => {
          button.textContent = button.dataset.done ?? ''
        },
        () => {
          button.hidden = true
        },
      )
    })
  }
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-downloads]'))
    enable(button, () => download(textOf(button.dataset.downloads), button.dataset.name ?? ''))
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-prints]')) enable(button, () => print())
}

/** The page states times in UTC, because the server does not know the reader's time zone. */
export const localiseTimes = (root: ParentNode): void => {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' })
  for (const time of root.querySelectorAll<HTMLTimeElement>('time[data-local]')) {
    time.title = time.textContent ?? ''
    time.textContent = format.format(new Date(time.dateTime))
  }
}
