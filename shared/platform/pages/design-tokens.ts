// Colours and shapes of all pages, in light and dark. A tenant sets brand, brand-ink and radius.
export const DESIGN_TOKENS = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #ffffff; --ink: #16181d; --quiet: #5b6270; --line: #d9dde4; --brand: #2f5bea; --brand-ink: #ffffff;
  --danger: #b42318; --danger-ink: #ffffff; --warning: #8a5a00; --good: #116b3a; --radius: 10px }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1014; --card: #171a20; --ink: #eceef2; --quiet: #a0a7b4; --line: #2b3039; --brand: #7d9bff; --brand-ink: #0e1014;
  --danger: #ff8a7a; --danger-ink: #0e1014; --warning: #f2c35b; --good: #6fd39b } }
`
