// Form components: a label above each field, its error at the field and in a summary that takes focus, and a button that submits once. form.client.ts
// adds the behaviour.
import type { Child } from 'hono/jsx'

export const FORM_CSS = `
label { display: block; margin: 0 0 4px; font-weight: 600 }
.hint { margin: 0 0 8px; color: var(--quiet); font-size: 14px }
.field { margin: 0 0 16px }
input, select { width: 100%; min-height: 44px; padding: 8px 12px; border: 1px solid var(--quiet); border-radius: var(--radius); background: var(--card); color: var(--ink); font: inherit }
input[readonly] { border-color: var(--line); background: var(--ground); color: var(--quiet); text-overflow: ellipsis }
input[aria-invalid=true] { border: 2px solid var(--danger) }
.code { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 20px; letter-spacing: 2px }
.secret { position: relative }
.secret input { padding-inline-end: 112px }
.secret button { position: absolute; inset-block: 0; inset-inline-end: 0; min-width: 44px; min-height: 44px; padding: 0 12px; border: 0; border-radius: var(--radius); background: none; color: var(--brand); font: inherit; cursor: pointer }
.error { margin: 4px 0 0; color: var(--danger); font-size: 14px }
.error::before, .summary strong::before { content: '\\26a0\\fe0e\\00a0' }
.summary { margin: 0 0 16px; padding: 12px 16px; border: 1px solid var(--danger); border-radius: var(--radius) }
.summary strong { display: block; color: var(--danger) }
.summary p { margin: 4px 0 0 }
.primary, .second { display: flex; align-items: center; justify-content: center; gap: 8px; width: 100%; min-height: 44px; padding: 8px 16px; border: 0; border-radius: var(--radius); background: var(--brand); color: var(--brand-ink); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer }
.second { border: 1px solid var(--quiet); background: var(--card); color: var(--ink) }
.primary.danger { background: var(--danger); color: var(--danger-ink) }
.primary[aria-busy=true], .second[aria-busy=true] { cursor: progress }
[aria-busy=true]::before { content: ''; width: 16px; height: 16px; border: 2px solid currentcolor; border-right-color: transparent; border-radius: 50%; animation: turn 800ms linear infinite }
@keyframes turn { to { transform: rotate(1turn) } }
@media (prefers-reduced-motion: reduce) { [aria-busy=true]::before { animation: none } }
`

/** The error above the form; hidden while there is none. */
export const Summary = ({ heading, text }: { readonly heading: string; readonly text?: string | undefined }) => (
  <div class="summary" role="alert" tabindex={-1} data-summary hidden={text === undefined} {...(text === undefined ? {} : { autofocus: true })}>
    <strong>{heading}</strong>
    <p data-summary-text>{text ?? ''}</p>
  </div>
)

type Field = {
  readonly id: string
  readonly label: string
  readonly hint?: string
  /** The error of this field. */
  readonly error?: string | undefined
  /** The field with initial focus. */
  readonly first?: boolean
}

const describedBy = ({ id, hint }: Field): string => `${hint === undefined ? '' : `${id}-hint `}${id}-error`
const Hint = ({ id, hint }: Field) =>
  hint === undefined ? (
    ''
  ) : (
    <p class="hint" id={`${id}-hint`} data-fill={hint}>
      {hint}
    </p>
  )
const FieldError = ({ id, error }: Field) => (
  <p class="error" id={`${id}-error`} data-error-of={id} hidden={error === undefined}>
    {error ?? ''}
  </p>
)
const invalid = ({ error }: Field) => (error === undefined ? {} : { 'aria-invalid': 'true' as const })

type Text = Field & {
  /** Name of the submitted field, when a page has two of the same id. */
  readonly name?: string
  readonly type?: 'text' | 'email' | 'tel'
  readonly autocomplete?: string
  readonly inputmode?: 'numeric' | 'text' | 'email' | 'tel'
  /** For names and for codes in capitals. */
  readonly autocapitalize?: 'none' | 'words' | 'characters'
  readonly value?: string | undefined
  /** A code: one field with tabular figures. */
  readonly code?: boolean
  readonly maxlength?: number
  readonly required?: boolean
}

/** One line of text. */
export const TextField = (field: Text) => {
  const {
    id,
    name = id,
    label,
    type = 'text',
    autocomplete = 'off',
    autocapitalize = 'none',
    inputmode,
    value,
    code = false,
    maxlength,
    first = false,
    required = true,
  } = field
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Hint {...field} />
      <input
        id={id}
        name={name}
        type={type}
        class={code ? 'code' : ''}
        dir={code || type === 'email' || type === 'tel' ? 'ltr' : 'auto'}
        autocomplete={autocomplete}
        autocapitalize={autocapitalize}
        spellcheck={false}
        aria-describedby={describedBy(field)}
        data-first={first}
        {...(required ? { 'aria-required': 'true' as const } : {})}
        {...(inputmode === undefined ? {} : { inputmode })}
        {...(maxlength === undefined ? {} : { maxlength })}
        {...(value === undefined ? {} : { value })}
        {...(first && field.error === undefined ? { autofocus: true } : {})}
        {...invalid(field)}
      />
      <FieldError {...field} />
    </div>
  )
}

/** A code from a mail, a phone or an authenticator app. */
export const CodeField = (field: Field) => <TextField {...field} inputmode="numeric" autocomplete="one-time-code" maxlength={20} code />

type Secret = Field & {
  readonly autocomplete: 'new-password' | 'current-password'
  readonly show: string
  readonly hide: string
}

/** A password with a toggle that appears when scripts run. Pasting works, and the length is not limited. */
export const PasswordField = (field: Secret) => {
  const { id, label, autocomplete, show, hide, first = false } = field
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Hint {...field} />
      <div class="secret">
        <input
          id={id}
          name={id}
          type="password"
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          data-first={first}
          aria-describedby={describedBy(field)}
          {...(first && field.error === undefined ? { autofocus: true } : {})}
          {...invalid(field)}
        />
        <button type="button" data-reveals={id} aria-controls={id} aria-pressed="false" data-show={show} data-hide={hide} hidden>
          {show}
        </button>
      </div>
      <FieldError {...field} />
    </div>
  )
}

type Known = { readonly id: string; readonly name?: string; readonly label: string; readonly autocomplete: 'username'; readonly value?: string }

/** A read-only value, for the reader and for password managers. */
export const KnownField = ({ id, name = id, label, autocomplete, value }: Known) => (
  <div class="field">
    <label for={id}>{label}</label>
    <input id={id} name={name} type="email" dir="ltr" autocomplete={autocomplete} readonly {...(value === undefined ? {} : { value })} />
  </div>
)

type Press = {
  readonly label: string
  readonly busy: string
  readonly kind?: 'primary' | 'second' | 'danger'
  readonly name?: string
  readonly value?: string
  readonly children?: Child
}

/** The submit button. `busy` replaces the label while the request takes long. */
export const Submit = ({ label, busy, kind = 'primary', name, value }: Press) => (
  <button
    type="submit"
    class={kind === 'danger' ? 'primary danger' : kind}
    data-label={label}
    data-busy={busy}
    {...(name === undefined ? {} : { name, value: value ?? '' })}
  >
    {label}
  </button>
)
