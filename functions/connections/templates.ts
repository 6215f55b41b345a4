// Templates of common providers. For Okta and Auth0, `{domain}` stands for the customer's domain.

type Template = {
  readonly provider_name: string
  readonly display_name: string
  readonly auth_url: string
  readonly token_url: string
  readonly user_info_url: string
  readonly issuer_url: string
  readonly scopes: string[]
  readonly description: string
}
const OPENID = ['openid', 'profile', 'email']

export const OIDC_TEMPLATES: Readonly<Record<string, Template>> = {
  github: {
    provider_name: 'github',
    display_name: 'GitHub',
    auth_url: 'https://github.com/login/oauth/authorize',
    token_url: 'https://github.com/login/oauth/access_token',
    user_info_url: 'https://api.github.com/user',
    issuer_url: '',
    scopes: ['user:email'],
    description: 'OAuth app of GitHub. GitHub issues no ID token, so its API identifies the person.',
  },
  google: {
    provider_name: 'google',
    display_name: 'Google',
    auth_url: 'https://accounts.google.com/o/oauth2/v2/auth',
    token_url: 'https://oauth2.googleapis.com/token',
    user_info_url: 'https://www.googleapis.com/oauth2/v2/userinfo',
    issuer_url: 'https://accounts.google.com',
    scopes: OPENID,
    description: 'OAuth client of Google Cloud.',
  },
  linkedin: {
    provider_name: 'linkedin',
    display_name: 'LinkedIn',
    auth_url: 'https://www.linkedin.com/oauth/v2/authorization',
    token_url: 'https://www.linkedin.com/oauth/v2/accessToken',
    user_info_url: 'https://api.linkedin.com/v2/userinfo',
    issuer_url: 'https://www.linkedin.com/oauth',
    scopes: OPENID,
    description: 'Sign In with LinkedIn using OpenID Connect. The scopes r_liteprofile and r_emailaddress are no longer granted.',
  },
  microsoft: {
    provider_name: 'microsoft',
    display_name: 'Microsoft',
    auth_url: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    token_url: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    user_info_url: 'https://graph.microsoft.com/v1.0/me',
    issuer_url: 'https://login.microsoftonline.com/common/v2.0',
    scopes: OPENID,
    description: 'Application of Microsoft Entra. Replace `common` with the id of your directory to admit only its people.',
  },
  okta: {
    provider_name: 'okta',
    display_name: 'Okta',
    auth_url: 'https://{domain}/oauth2/v1/authorize',
    token_url: 'https://{domain}/oauth2/v1/token',
    user_info_url: 'https://{domain}/oauth2/v1/userinfo',
    issuer_url: 'https://{domain}',
    scopes: OPENID,
    description: 'Application of an Okta organisation.',
  },
  auth0: {
    provider_name: 'auth0',
    display_name: 'Auth0',
    auth_url: 'https://{domain}/authorize',
    token_url: 'https://{domain}/oauth/token',
    user_info_url: 'https://{domain}/userinfo',
    issuer_url: 'https://{domain}/',
    scopes: OPENID,
    description: 'Application of an Auth0 tenant.',
  },
  custom: {
    provider_name: '',
    display_name: '',
    auth_url: '',
    token_url: '',
    user_info_url: '',
    issuer_url: '',
    scopes: OPENID,
    description: 'Any OpenID provider that publishes its metadata below its issuer.',
  },
}
