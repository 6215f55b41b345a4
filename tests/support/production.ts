// The variables that production requires, for tests of its behaviour. Nothing listens at these addresses.
export const PRODUCTION: Readonly<Record<string, string>> = {
  ENVIRONMENT: 'production',
  RATE_LIMIT: 'on',
  BASE_URL: 'https://id.example.com',
  PUBLIC_UI_ORIGIN: 'https://app.example.com',
  CORS_ALLOWED_ORIGINS: 'https://other.example.org, https://port.example.org:8443',
  DATABASE_URL: 'postgres://unused',
  REDIS_URL: 'redis://unused',
  SMTP_URL: 'smtp://unused',
  SIGN_UP: 'open',
}
