// Usual settings of well-known identity providers.
const EMAIL = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
const FIELDS = ['entity_id', 'sso_url', 'certificate', 'slo_url', 'metadata_url']
const CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'

export const DEFAULT_ATTRIBUTE_MAPPING = { email: 'email', first_name: 'givenName', last_name: 'surname', name: 'displayName' } as const

export const SAML_TEMPLATES = {
  okta: {
    provider_name: 'okta',
    display_name: 'Okta',
    name_id_format: EMAIL,
    attribute_mapping: { email: 'email', first_name: 'firstName', last_name: 'lastName', name: 'displayName' },
    instructions:
      'Create a SAML 2.0 application in Okta with our ACS URL as single sign-on URL and our entity ID as audience. Sign response and assertion with SHA-256; to encrypt, choose AES256-GCM.',
    documentation_url: 'https://developer.okta.com/docs/guides/build-sso-integration/saml2/main/',
    config_fields: FIELDS,
  },
  azure: {
    provider_name: 'azure',
    display_name: 'Microsoft Entra ID',
    name_id_format: EMAIL,
    attribute_mapping: {
      email: `${CLAIMS}/emailaddress`,
      first_name: `${CLAIMS}/givenname`,
      last_name: `${CLAIMS}/surname`,
      name: 'http://schemas.microsoft.com/identity/claims/displayname',
    },
    instructions:
      'Add an enterprise application, choose SAML, and upload our metadata. Set the unique user identifier to a value that stays with the person, and download the certificate in Base64.',
    documentation_url: 'https://learn.microsoft.com/entra/identity/enterprise-apps/add-application-portal-setup-sso',
    config_fields: FIELDS,
  },
  onelogin: {
    provider_name: 'onelogin',
    display_name: 'OneLogin',
    name_id_format: EMAIL,
    attribute_mapping: { email: 'User.email', first_name: 'User.FirstName', last_name: 'User.LastName', name: 'User.DisplayName' },
    instructions: 'Add the application SAML Custom Connector (Advanced), enter our entity ID as audience and our ACS URL, and choose SHA-256.',
    documentation_url: 'https://developers.onelogin.com/saml',
    config_fields: FIELDS,
  },
  google: {
    provider_name: 'google',
    display_name: 'Google Workspace',
    name_id_format: EMAIL,
    attribute_mapping: { email: 'email', first_name: 'firstName', last_name: 'lastName', name: 'displayName' },
    instructions: 'Add a custom SAML application with our ACS URL and entity ID, name ID format EMAIL, and map the primary e-mail and the names.',
    documentation_url: 'https://support.google.com/a/answer/6087519',
    config_fields: FIELDS,
  },
} as const
